# What examples/poe/names does, for Perl's POE.
use strict;
use warnings;

my ( $unit, $rounds, $clients, $patience ) = ( 0.02, 2, 4, 50 );

package Lockd;
use POE;

sub create {
    POE::Session->create(
        package_states => [ Lockd => [qw(_start lock unlock signal _stop)] ] );
}

sub label { return '#' . $_[0]->ID }

sub _start {
    $_[KERNEL]->sig( IDLE => 'signal' );
    print "lockd: starts\n";
    $_[KERNEL]->alias_set('lockd');
}

sub lock {
    my ( $kernel, $heap, $sender, $lock, $yes, $no ) = @_[ KERNEL, HEAP, SENDER, ARG0 .. ARG2 ];
    my ( $who, $owner ) = ( label($sender), $heap->{$lock} );
    if ( defined $owner and $owner ne $who ) {
        print "lockd: refuses $lock to $who, $owner has it\n";
        $kernel->post( $sender, $no );
        return;
    }
    $heap->{$lock} = $who;
    print "lockd: lends $lock to $who\n";
    $kernel->post( $sender, $yes );
}

sub unlock {
    my ( $kernel, $heap, $sender, $lock, $yes, $no ) = @_[ KERNEL, HEAP, SENDER, ARG0 .. ARG2 ];
    my $who = label($sender);
    if ( ( $heap->{$lock} // '' ) ne $who ) {
        print "lockd: $who does not have $lock\n";
        $kernel->post( $sender, $no );
        return;
    }
    delete $heap->{$lock};
    print "lockd: gets $lock back from $who\n";
    $kernel->post( $sender, $yes );
}

sub signal { print "lockd: sees $_[ARG0]\n"; return }
sub _stop  { print "lockd: stops\n" }

package Client;
use POE;

sub create {
    my ($id) = @_;
    POE::Session->create(
        package_states =>
          [ Client => [qw(_start play acquire refused work release _stop)] ],
        heap => { id => $id, round => 0 },
    );
}

sub say_ { my ( $heap, $what ) = @_; print "client-$heap->{id}: $what\n" }

sub _start {
    say_( $_[HEAP], 'starts' );
    $_[KERNEL]->yield('play');
}

sub play {
    my ( $kernel, $heap ) = @_[ KERNEL, HEAP ];
    $kernel->delay('release');
    return if ++$heap->{round} > $rounds;
    say_( $heap, 'plays' );
    $kernel->delay( acquire => $unit );
}

sub acquire {
    my ( $kernel, $heap ) = @_[ KERNEL, HEAP ];
    say_( $heap, 'wants the file' );
    $kernel->delay( acquire => $patience * $unit );
    $kernel->post( lockd => lock => 'file', 'work', 'refused' );
}

sub refused {
    say_( $_[HEAP], 'has to wait' );
    $_[KERNEL]->delay( acquire => $unit );
}

sub work {
    my ( $kernel, $heap ) = @_[ KERNEL, HEAP ];
    say_( $heap, 'works with the file' );
    $kernel->delay('acquire');
    $kernel->delay( release => $unit );
}

sub release {
    my ( $kernel, $heap ) = @_[ KERNEL, HEAP ];
    say_( $heap, 'gives the file back' );
    $kernel->delay( release => $patience * $unit );
    $kernel->post( lockd => unlock => 'file', 'play', 'play' );
}

sub _stop { say_( $_[HEAP], 'stops' ) }

package main;

Lockd::create();
Client::create($_) for 1 .. $clients;
POE::Kernel->run;
