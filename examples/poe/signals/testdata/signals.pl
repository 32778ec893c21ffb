# What examples/poe/signals does, for Perl's POE.
use strict;
use warnings;
use POE;

$| = 1;
my %given = ( -rings => 6, -tick => '50ms', @ARGV );
my ($tick) = map { s/ms$//r / 1000 } $given{-tick};
my $rings = $given{-rings};

sub caught {
    my ($name) = @_;
    return sub { print "$name: catches [@_[ ARG0 .. $#_ ]]\n"; return };
}

POE::Session->create(
    inline_states => {
        _start => sub {
            my $kernel = $_[KERNEL];
            print "first: starts\n";
            $kernel->sig( INT  => 'caught' );
            $kernel->sig( FOO  => 'caught' );
            $kernel->sig( QUUX => 'caught', 'for everyone' );
            $kernel->delay( ring => 2 * $tick );
        },
        ring => sub {
            my ( $kernel, $session ) = @_[ KERNEL, SESSION ];
            print "first: rings, and signals FOO to itself\n";
            $kernel->delay( ring => 2 * $tick );
            $kernel->signal( $session, 'FOO' );
        },
        caught => caught('first'),
        _stop  => sub { print "first: stops\n" },
    },
);

my $rung = 0;
POE::Session->create(
    inline_states => {
        _start => sub {
            my $kernel = $_[KERNEL];
            print "second: starts\n";
            $kernel->sig( INT  => 'caught' );
            $kernel->sig( FOO  => 'caught' );
            $kernel->sig( QUUX => 'caught' );
            $kernel->delay( ring => $tick );
        },
        ring => sub {
            my $kernel = $_[KERNEL];
            print "second: rings, and signals QUUX to everyone\n";
            $kernel->signal( $kernel, 'QUUX', $rung++ );
            if ( $rung == $rings ) {
                $kernel->signal( $kernel, 'INT' );
                return;
            }
            $kernel->delay( ring => $tick );
        },
        caught => caught('second'),
        _stop  => sub { print "second: stops\n" },
    },
);
POE::Kernel->run;
