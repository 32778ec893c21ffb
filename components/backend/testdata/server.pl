# A server as in the examples of Apache::Backend::POE: it knows register_service
# and ping, and three commands for the test. It prints its port, then what comes.
use strict;
use warnings;
use Socket qw(unpack_sockaddr_in);
use POE qw(Filter::Reference Component::Server::TCP);

$| = 1;

sub message { return bless {@_}, 'Apache::Backend::POE::Message' }

POE::Component::Server::TCP->new(
    Address      => '127.0.0.1',
    Port         => 0,
    ClientFilter => 'POE::Filter::Reference',
    Started      => sub { print( ( unpack_sockaddr_in( $_[HEAP]{listener}->getsockname ) )[0], "\n" ) },
    ClientInput  => sub {
        my ( $heap, $m ) = @_[ HEAP, ARG0 ];
        my $cmd = $m->{cmd} // '';
        if    ( $cmd eq 'register_service' ) { print "registered $m->{svc_name}\n" }
        elsif ( $cmd eq 'ping' )             { $heap->{client}->put( message( event => 'pong', time => time ) ) }
        elsif ( $cmd eq 'double' )           { $heap->{client}->put( message( event => 'reply', id => $m->{id}, args => [ 2 * $m->{args}[0] ] ) ) }
        elsif ( $cmd eq 'measure' ) {
            print "measured ", length $m->{args}[0], "\n";
            $heap->{client}->put( message( event => 'news', headline => 'measured' ) );
        }
        elsif ( $cmd eq 'quit' ) { exit 0 }
        else { $heap->{client}->put( message( event => 'error', id => $m->{id}, text => 'unknown command' ) ) }
    },
);
POE::Kernel->run;
