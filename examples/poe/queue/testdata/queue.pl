# What examples/poe/queue does, for Perl's POE.
use strict;
use warnings;
use POE;

my ( $jobs, $pool ) = ( 10, 3 );

sub create_job {
    my ($id) = @_;
    my $parent;
    POE::Session->create(
        inline_states => {
            _start => sub {
                $parent = $_[SENDER]->ID;
                my $turns = 1 + $id * 7 % 5;
                print "job-$id: starts, $turns turns to go\n";
                $_[KERNEL]->yield( work => $turns );
                return $id;
            },
            work => sub {
                my $left = $_[ARG0];
                if ( $left > 1 ) {
                    $_[KERNEL]->yield( work => $left - 1 );
                    return;
                }
                print "job-$id: is done\n";
                $_[KERNEL]->post( $parent, result => $id, $id * $id );
            },
            _stop => sub { print "job-$id: stops\n"; return $id },
        },
    );
}

my ( $made, $running ) = ( 0, 0 );

sub next_job { create_job( ++$made ) if $made < $jobs }

POE::Session->create(
    inline_states => {
        _start => sub { next_job() for 1 .. $pool },
        _child => sub {
            my ( $reason, $id ) = @_[ ARG0, ARG2 ];
            if ( $reason eq 'create' ) {
                $running++;
                print "parent: job-$id came, $running at work\n";
                return;
            }
            $running--;
            print "parent: job-$id left, $running at work\n";
            next_job();
        },
        result => sub { print "parent: job-$_[ARG0] made $_[ARG1]\n" },
        _stop  => sub { print "parent: stops\n" },
    },
);
POE::Kernel->run;
