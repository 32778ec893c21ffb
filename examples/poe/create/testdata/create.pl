# What examples/poe/create does, for Perl's POE.
use strict;
use warnings;
use POE;

my $laps = 3;

sub inline_session {
    my ($name) = @_;
    my $lap = 0;
    return POE::Session->create(
        inline_states => {
            _start => sub {
                print "$name: starts, made of functions\n";
                return "here is $name";
            },
            run => sub {
                $lap++;
                print "$name: lap $lap\n";
                my $twice = $_[KERNEL]->call( $_[SESSION], twice => $lap );
                print "$name: the call returned $twice\n";
                $_[KERNEL]->yield('run') if $lap < $laps;
            },
            twice => sub {
                print "$name: is called with $_[ARG0]\n";
                return 2 * $_[ARG0];
            },
            name  => sub { return $name },
            _stop => sub { print "$name: stops\n"; return },
        },
    );
}

package Runner;
use POE;

sub new { my ( $class, $name ) = @_; return bless { name => $name, lap => 0 }, $class }

sub session {
    my ($self) = @_;
    return POE::Session->create(
        object_states => [
            $self => {
                _start => 'start',
                run    => 'run',
                twice  => 'twice',
                name   => 'tell_name',
                _stop  => 'stop',
            },
        ],
    );
}

sub start {
    print "$_[OBJECT]{name}: starts, made of methods\n";
    return "here is $_[OBJECT]{name}";
}

sub run {
    my $self = $_[OBJECT];
    $self->{lap}++;
    print "$self->{name}: lap $self->{lap}\n";
    my $twice = $_[KERNEL]->call( $_[SESSION], twice => $self->{lap} );
    print "$self->{name}: the call returned $twice\n";
    $_[KERNEL]->yield('run') if $self->{lap} < $laps;
}

sub twice {
    print "$_[OBJECT]{name}: is called with $_[ARG0]\n";
    return 2 * $_[ARG0];
}

sub tell_name { return $_[OBJECT]{name} }

sub stop { print "$_[OBJECT]{name}: stops\n"; return }

package main;

POE::Session->create(
    inline_states => {
        _start => sub {
            $_[KERNEL]->post( inline_session($_),        'run' ) for qw(one two three);
            $_[KERNEL]->post( Runner->new($_)->session(), 'run' ) for qw(four five six);
        },
        _child => sub {
            my ( $reason, $child, $value ) = @_[ ARG0 .. ARG2 ];
            my $name = $_[KERNEL]->call( $child, 'name' );
            print "parent: $reason $name";
            print ", which says: $value" if $reason eq 'create';
            print "\n";
        },
        _stop => sub { print "parent: stops\n" },
    },
);
POE::Kernel->run;
