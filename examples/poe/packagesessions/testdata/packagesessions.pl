# What examples/poe/packagesessions does, for Perl's POE.
use strict;
use warnings;

package Counter;
use POE;

my $limit = 4;

sub _start {
    my ( $kernel, $heap, $name ) = @_[ KERNEL, HEAP, ARG0 ];
    @$heap{qw(name count)} = ( $name, 0 );
    print "$name: starts\n";
    $kernel->yield('increment');
}

sub increment {
    my ( $package, $kernel, $heap ) = @_[ OBJECT, KERNEL, HEAP ];
    my $n = ++$heap->{count};
    print "$heap->{name}: $n\n";
    if   ( $n % 2 ) { $kernel->state( odd => $package ) }
    else            { $kernel->state('odd') }
    $kernel->yield( odd => $n );
    $kernel->yield('increment') if $n < $limit;
}

sub odd { print "$_[HEAP]{name}: $_[ARG0] is odd\n" }

sub _default {
    my ( $heap, $event, $args ) = @_[ HEAP, ARG0, ARG1 ];
    print "$heap->{name}: no handler for $event [@$args]\n";
}

package main;

for my $name (qw(one two three four five)) {
    POE::Session->create(
        package_states => [ Counter => [qw(_start increment _default)] ],
        args           => [$name],
    );
}
POE::Kernel->run;
