# What examples/poe/objmaps does, for Perl's POE.
use strict;
use warnings;

package Counter;
use POE;

my $limit = 5;

sub new { my ( $class, $name ) = @_; return bless { name => $name, count => 0 }, $class }

sub begin {
    print "$_[OBJECT]{name}: begins\n";
    $_[KERNEL]->yield('increment');
}

sub count_up {
    my ( $self, $kernel ) = @_[ OBJECT, KERNEL ];
    my $n = ++$self->{count};
    print "$self->{name}: $n\n";
    if ( $n % 2 ) {
        $kernel->state( echo => $self, 'repeat' );
        $kernel->yield( echo => $n );
    }
    else {
        $kernel->state('echo');
    }
    $kernel->yield('increment') if $n < $limit;
}

sub repeat { print "$_[OBJECT]{name}: $_[ARG0], again\n" }

sub end { print "$_[OBJECT]{name}: ends at $_[OBJECT]{count}\n" }

package main;

for my $name (qw(one two three four five)) {
    POE::Session->create(
        object_states => [
            Counter->new($name) => {
                _start    => 'begin',
                increment => 'count_up',
                _stop     => 'end',
            },
        ],
    );
}
POE::Kernel->run;
