# What examples/poe/selects does, for Perl's POE.
use strict;
use warnings;
use IO::Socket::INET;
use POE;

my ( $lines, $width ) = ( 5, 72 );
my @chars = map { chr } 32 .. 126;
my $listener;

sub server_start {
    print "server: starts\n";
    $listener = IO::Socket::INET->new(
        LocalAddr => '127.0.0.1',
        Listen    => 5,
        Proto     => 'tcp',
    ) or die "cannot listen: $!";
    $_[KERNEL]->select_read( $listener, 'accept' );
}

sub server_accept {
    my $socket = $listener->accept or die "cannot accept: $!";
    print "server: accepts\n";
    my $sent = 0;
    POE::Session->create(
        inline_states => {
            _start => sub {
                print "generator: starts\n";
                $_[KERNEL]->select_read( $socket, 'read' );
                $_[KERNEL]->select_write( $socket, 'write' );
                return 'a generator for tcp';
            },
            read => sub {
                my ( $kernel, $handle ) = @_[ KERNEL, ARG0 ];
                generator_end( $kernel, $handle ) unless sysread $handle, my $ignored, 512;
            },
            write => sub {
                my ( $kernel, $handle ) = @_[ KERNEL, ARG0 ];
                my $line = join '', map { $chars[ ( $sent + $_ ) % @chars ] } 0 .. $width - 1;
                $sent++;
                generator_end( $kernel, $handle ) unless syswrite $handle, "$line\r\n";
            },
            _stop => sub {
                print "generator: stops\n";
                return 'a generator that sent enough';
            },
        },
    );
    undef $socket;
}

sub generator_end {
    my ( $kernel, $handle ) = @_;
    $kernel->select($handle);
    close $handle;
}

sub server_child {
    my ( $reason, $value ) = @_[ ARG0, ARG2 ];
    print "server: $reason, $value\n";
    return if $reason ne 'lose';
    $_[KERNEL]->select_read($listener);
    close $listener;
}

my ( $input, $seen ) = ( '', 0 );

sub client_start {
    print "client: starts\n";
    my $socket = IO::Socket::INET->new(
        PeerAddr => '127.0.0.1',
        PeerPort => $listener->sockport,
        Proto    => 'tcp',
    ) or die "cannot connect: $!";
    $_[KERNEL]->select_read( $socket, 'read', 'the server' );
}

sub client_read {
    my ( $kernel, $handle, $mode, $from ) = @_[ KERNEL, ARG0 .. ARG2 ];
    my $got = sysread $handle, $input, 512, length $input;
    while ( $seen < $lines and $input =~ s/^(.*?)\r\n//s ) {
        $seen++;
        print "client: mode $mode, $from: $1\n";
    }
    return if $got and $seen < $lines;
    $kernel->select($handle);
    close $handle;
}

POE::Session->create(
    inline_states => {
        _start => \&server_start,
        accept => \&server_accept,
        _child => \&server_child,
        _stop  => sub { print "server: stops\n" },
    },
);
POE::Session->create(
    inline_states => {
        _start => \&client_start,
        read   => \&client_read,
        _stop  => sub { print "client: stops\n" },
    },
);
POE::Kernel->run;
