# simplehttp.pl KEEPALIVE: a POE::Component::Server::SimpleHTTP on a free port of the
# loopback interface. It says "port N" on standard output. With a KEEPALIVE of 1 it
# keeps connections, with 0 it closes each one behind its answer, without a word.
# X-Connection says which connection a request came on, X-Handled how many requests
# there were.
use strict;
use warnings;

use POE;
use POE::Component::Server::SimpleHTTP;
use Socket qw(unpack_sockaddr_in);

$| = 1;
my ($keepalive) = @ARGV;
my $handled = 0;

my %answer = (
    '/get'   => sub { 'GET text' },
    '/echo'  => sub { $_[0]->content },
    '/moved' => sub { $_[1]->code(302); $_[1]->header( Location => '/get' ); 'moved' },
    '/big'   => sub { "0123456789abcde\n" x ( 1 << 16 ) },
    # One that is longer than it says.
    '/much'  => sub { $_[1]->header( 'Content-Length' => 4 ); 'muchHTTP/1.1 200 OK' },
    # An error, behind which this server always closes.
    '/error' => sub { $_[1]->code(500); 'error' },
);

my $server = POE::Component::Server::SimpleHTTP->new(
    ALIAS     => 'HTTPD',
    ADDRESS   => '127.0.0.1',
    PORT      => 0,
    KEEPALIVE => $keepalive,
    HANDLERS  => [ { DIR => '.*', SESSION => 'main', EVENT => 'got' } ],
);

POE::Session->create(
    inline_states => {
        _start => sub { $_[KERNEL]->alias_set('main'); $_[KERNEL]->yield('listens') },
        listens => sub {
            return $_[KERNEL]->delay( listens => 0.01 ) unless $server->_factory;
            my ($port) = unpack_sockaddr_in( $server->getsockname );
            print "port $port\n";
        },
        got => sub {
            my ( $q, $r ) = @_[ ARG0, ARG1 ];
            $handled++;
            $r->code(200);
            $r->header( 'X-Connection' => $r->connection->ID, 'X-Handled' => $handled );
            my $text = $answer{ $q->uri->path }->( $q, $r );
            if ( $q->method eq 'HEAD' ) {
                $r->header( 'Content-Length' => length $text );
                $r->protocol( $q->protocol );
            }
            else { $r->content($text) }
            $_[KERNEL]->post( HTTPD => 'DONE', $r );
        },
    },
);

POE::Kernel->run;
