# httpd.pl: a POE::Component::Server::TCP with POE::Filter::HTTPD on a free port of
# the loopback interface. It says "port N" on standard output, then what happens, a
# line each. It answers with method, path and the content in capitals; "/2" has it
# close the connection after the answer, and stop.
use strict;
use warnings;

use POE qw(Component::Server::TCP Filter::HTTPD);
use HTTP::Response;
use Socket qw(unpack_sockaddr_in);

$| = 1;

POE::Component::Server::TCP->new(
    Alias        => 'server',
    Address      => '127.0.0.1',
    Port         => 0,
    ClientFilter => 'POE::Filter::HTTPD',
    Started      => sub {
        my ($port) = unpack_sockaddr_in( $_[HEAP]{listener}->getsockname );
        print "port $port\n";
    },
    ClientConnected => sub { print "connected\n" },
    ClientInput     => sub {
        my $q = $_[ARG0];
        print join( ' ', $q->method, $q->uri->path, length $q->content ), "\n";
        my $text = join ' ', $q->method, $q->uri->path, uc $q->content;
        $_[HEAP]{client}->put( HTTP::Response->new( 200, 'OK', [ 'Content-Length' => length $text ], $text ) );
        $_[KERNEL]->yield('shutdown') if $q->uri->path eq '/2';
    },
    ClientError        => sub { print "error $_[ARG0] ", $_[ARG1] + 0, "\n" },
    ClientDisconnected => sub {
        print "disconnected\n";
        $_[KERNEL]->post( server => 'shutdown' );
    },
    Stopped => sub { print "stopped\n" },
);

POE::Kernel->run;
