#!/usr/bin/perl
# The server of bench's group "datagrams" in Perl's POE: sends each datagram back to
# where it came from. Prints where it listens, answers each line of standard input,
# and ends when that does.
use strict;
use warnings;
use IO::Socket::INET;
use POE;

POE::Session->create(inline_states => {
    _start => sub {
        my $socket = IO::Socket::INET->new(Proto => 'udp', LocalAddr => '127.0.0.1', LocalPort => 0)
            or die "cannot open a socket: $!\n";
        $_[KERNEL]->select_read($socket, 'datagram');
        $_[KERNEL]->select_read(\*STDIN, 'control');
        syswrite STDOUT, $socket->sockhost . ':' . $socket->sockport . "\n";
    },
    datagram => sub {
        my $socket = $_[ARG0];
        my $from   = recv($socket, my $data, 65536, 0);
        send($socket, $data, 0, $from) if defined $from;
    },
    control => sub {
        sysread(STDIN, my $line, 512) or exit 0;
        syswrite STDOUT, "settled\n";
    },
});

POE::Kernel->run;
