# What examples/poe/sessions does, for Perl's POE.
use strict;
use warnings;
use POE;

my $laps = 5;

sub label { return '#' . $_[0]->ID }

sub runner_start {
    my ( $session, $heap, $name ) = @_[ SESSION, HEAP, ARG0 ];
    $heap->{name} = $name;
    print label($session), " $name: starts\n";
    return "hello from $name";
}

sub runner_lap {
    my ( $kernel, $session, $heap, $n ) = @_[ KERNEL, SESSION, HEAP, ARG0 ];
    print label($session), " $heap->{name}: lap $n\n";
    if ( $n % 2 ) { $kernel->state( echo => \&runner_echo ) }
    else          { $kernel->state('echo') }
    return if $n == $laps;
    $kernel->yield( lap  => $n + 1 );
    $kernel->yield( echo => $n );
}

sub runner_echo {
    print label( $_[SESSION] ), " $_[HEAP]{name}: echo of lap $_[ARG0]\n";
}

sub runner_stop {
    print label( $_[SESSION] ), " $_[HEAP]{name}: stops\n";
    return "goodbye from $_[HEAP]{name}";
}

sub parent_start {
    for my $name (qw(one two three four five six seven eight nine ten)) {
        my $child = POE::Session->create(
            inline_states => {
                _start => \&runner_start,
                lap    => \&runner_lap,
                _stop  => \&runner_stop,
            },
            args => [$name],
        );
        $_[KERNEL]->post( $child, lap => 1 );
    }
}

sub parent_child {
    print label( $_[SESSION] ), " parent: $_[ARG0] ", label( $_[ARG1] ), ", $_[ARG2]\n";
}

POE::Session->create(
    inline_states => {
        _start => \&parent_start,
        _child => \&parent_child,
        _stop  => sub { print label( $_[SESSION] ), " parent: stops\n" },
    },
);
POE::Kernel->run;
