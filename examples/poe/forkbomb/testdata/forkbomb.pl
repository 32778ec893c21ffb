# What examples/poe/forkbomb does, for Perl's POE.
use strict;
use warnings;
use POE;

my $limit = 200;
my $count = 0;

sub one_in {
    my ( $heap, $n ) = @_;
    $heap->{luck} = ( $heap->{luck} * 1103515245 + 12345 ) % ( 1 << 31 );
    return ( $heap->{luck} >> 16 ) % $n == 0;
}

sub say_ { my ( $heap, $what ) = @_; print "$heap->{id}: $what\n" }

sub start {
    my ( $kernel, $heap ) = @_[ KERNEL, HEAP ];
    say_( $heap, 'starts' );
    $kernel->sig( INT => 'caught' );
    $kernel->yield('fork');
    return "I am $heap->{id}";
}

sub fork_ {
    my ( $kernel, $heap ) = @_[ KERNEL, HEAP ];
    return say_( $heap, 'the limit is reached' ) if $count >= $limit;
    if ( one_in( $heap, 2 ) ) {
        say_( $heap, 'makes a child' );
        create_bomb();
    }
    else {
        say_( $heap, 'does nothing' );
    }
    return $kernel->yield('fork') if $count < int( $limit / 2 ) || one_in( $heap, 20 );
    say_( $heap, 'has had enough' );
}

sub child {
    my ( $kernel, $heap, $reason, $child, $value ) = @_[ KERNEL, HEAP, ARG0 .. ARG2 ];
    my $id = $kernel->call( $child, 'id' );
    return say_( $heap, "create $id, which says: $value" ) if $reason eq 'create';
    say_( $heap, "$reason $id" );
}

sub parent {
    my ( $kernel, $heap ) = @_[ KERNEL, HEAP ];
    my ( $from, $to ) = map { $kernel->call( $_, 'id' ) } @_[ ARG0, ARG1 ];
    say_( $heap, "goes from parent $from to $to" );
}

sub create_bomb {
    my $id = ++$count;
    POE::Session->create(
        inline_states => {
            _start  => \&start,
            fork    => \&fork_,
            id      => sub { return $_[HEAP]{id} },
            _child  => \&child,
            _parent => \&parent,
            caught  => sub { say_( $_[HEAP], "catches $_[ARG0]" ); return },
            _stop   => sub { say_( $_[HEAP], 'stops' ) },
        },
        heap => { id => $id, luck => $id * 7919 % ( 1 << 31 ) },
    );
}

create_bomb();
POE::Kernel->run;
