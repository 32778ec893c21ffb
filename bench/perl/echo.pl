#!/usr/bin/perl
# The server of bench's group "connections" in Perl's POE: answers each line with
# the same line. Prints where it listens, answers each line of standard input, and
# ends when that does.
use strict;
use warnings;
use POE qw(Component::Server::TCP Wheel::ReadWrite Filter::Line);
use Socket qw(inet_ntoa unpack_sockaddr_in);

POE::Component::Server::TCP->new(
    Address      => '127.0.0.1',
    Port         => 0,
    ClientFilter => ['POE::Filter::Line', Literal => "\n"],
    ClientInput  => sub { $_[HEAP]{client}->put($_[ARG0]) },
    ClientError  => sub { },
    Started      => sub {
        my ($port, $host) = unpack_sockaddr_in($_[HEAP]{listener}->getsockname);
        syswrite STDOUT, inet_ntoa($host) . ":$port\n";
    },
);

POE::Session->create(inline_states => {
    _start => sub {
        $_[HEAP]{load} = POE::Wheel::ReadWrite->new(
            InputHandle => \*STDIN, OutputHandle => \*STDOUT,
            Filter      => POE::Filter::Line->new(Literal => "\n"),
            InputEvent  => 'settle', ErrorEvent => 'bye',
        );
    },
    settle => sub { $_[HEAP]{load}->put('settled') },
    bye    => sub { exit 0 },
});

POE::Kernel->run;
