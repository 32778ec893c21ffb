# What examples/poe/objsessions does, for Perl's POE.
use strict;
use warnings;

package Walker;
use POE;

sub new {
    my ( $class, $name, $steps ) = @_;
    my $self = bless { name => $name, steps => $steps, done => 0 }, $class;
    print "$name: is an object\n";
    POE::Session->create( object_states => [ $self => [qw(_start step _stop)] ] );
    return;
}

sub _start {
    print "$_[OBJECT]{name}: is a session, too\n";
    $_[KERNEL]->yield('step');
}

sub step {
    my $self = $_[OBJECT];
    $self->{done}++;
    print "$self->{name}: step $self->{done} of $self->{steps}\n";
    $_[KERNEL]->yield('step') if $self->{done} < $self->{steps};
}

sub _stop {
    my $self = $_[OBJECT];
    print "$self->{name}: stops after step $self->{done}\n";
}

package main;

my $i = 0;
Walker->new( $_, 1 + $i++ * 3 % 5 ) for qw(one two three four five);
POE::Kernel->run;
