#!/usr/bin/perl
# The server of bench's group "hello" in Perl's POE: answers each request with the
# same text, and keeps the connection. Prints where it listens, answers each line of
# standard input, and ends when that does.
use strict;
use warnings;
use IO::Socket::INET;
use POE qw(Component::Server::SimpleHTTP Wheel::ReadWrite Filter::Line);

# It cannot say which port it was given.
my $port = do {
    my $free = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1', LocalPort => 0) or die $!;
    $free->sockport;
};

POE::Component::Server::SimpleHTTP->new(
    ALIAS        => 'HTTPD',
    ADDRESS      => '127.0.0.1',
    PORT         => $port,
    HOSTNAME     => 'localhost',
    KEEPALIVE    => 1,
    HANDLERS     => [{ DIR => '^/hello$', SESSION => 'pages', EVENT => 'hello' }],
    SETUPHANDLER => { SESSION => 'pages', EVENT => 'setup' },
) or die 'no server';

POE::Session->create(inline_states => {
    _start => sub {
        $_[KERNEL]->alias_set('pages');
        $_[HEAP]{load} = POE::Wheel::ReadWrite->new(
            InputHandle => \*STDIN, OutputHandle => \*STDOUT,
            Filter      => POE::Filter::Line->new(Literal => "\n"),
            InputEvent  => 'settle', ErrorEvent => 'bye',
        );
    },
    setup => sub { $_[HEAP]{load}->put("127.0.0.1:$port") },
    hello => sub {
        my $response = $_[ARG1];
        $response->code(200);
        $response->content_type('text/plain');
        $response->content("hello, world\n");
        $_[KERNEL]->call(HTTPD => DONE => $response);
    },
    settle => sub { $_[HEAP]{load}->put('settled') },
    bye    => sub { exit 0 },
});

POE::Kernel->run;
