# server.pl FILTER: a POE::Component::Server::TCP on a free port of the loopback
# interface. It says "port N" on standard output, then what happens, a line each. It
# answers every record; after "bye" it closes that connection. When the first client
# has gone it stops.
use strict;
use warnings;
use FindBin;
require "$FindBin::Bin/filter.pl";

use POE qw(Component::Server::TCP);
use Socket qw(unpack_sockaddr_in);

$| = 1;
my ($name) = @ARGV;

POE::Component::Server::TCP->new(
    Alias        => 'server',
    Address      => '127.0.0.1',
    Port         => 0,
    ClientFilter => a_filter($name),
    Started      => sub {
        my ($port) = unpack_sockaddr_in( $_[HEAP]{listener}->getsockname );
        print "port $port\n";
    },
    ClientConnected => sub { print "connected\n"; $_[HEAP]{records} = 0 },
    ClientInput     => sub {
        $_[HEAP]{records}++;
        $_[HEAP]{client}->put( answer( $_[ARG0] ) );
        $_[KERNEL]->yield('shutdown') if is_bye( $_[ARG0] );
    },
    ClientError        => sub { print "error $_[ARG0] ", $_[ARG1] + 0, "\n" },
    ClientDisconnected => sub {
        print "$_[HEAP]{records} records\ndisconnected\n";
        $_[KERNEL]->post( server => 'shutdown' );
    },
    Stopped => sub { print "stopped\n" },
);

POE::Kernel->run;
