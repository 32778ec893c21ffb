# server.pl FILTER: a POE::Component::Server::TCP on a free port of the loopback
# interface. It says "port N" on standard output, then what happens, a line each. It
# answers every record with the same text in capitals; "bye" has it close that
# connection after the answer. When the first client has gone it stops.
use strict;
use warnings;
use FindBin;
require "$FindBin::Bin/filter.pl";

use POE qw(Component::Server::TCP);
use Socket qw(unpack_sockaddr_in);

$| = 1;
my $name = shift // 'Line';

POE::Component::Server::TCP->new(
    Alias        => 'server',
    Address      => '127.0.0.1',
    Port         => 0,
    ClientFilter => a_filter($name),
    Started      => sub {
        my ($port) = unpack_sockaddr_in( $_[HEAP]{listener}->getsockname );
        print "port $port\n";
    },
    ClientConnected => sub { print "connected\n" },
    ClientInput     => sub {
        my $line = text( $name, $_[ARG0] );
        print "input $line\n";
        $_[HEAP]{client}->put( record( $name, uc $line ) );
        $_[KERNEL]->yield('shutdown') if $line eq 'bye';
    },
    ClientError        => sub { print "error $_[ARG0] ", $_[ARG1] + 0, "\n" },
    ClientDisconnected => sub {
        print "disconnected\n";
        $_[KERNEL]->post( server => 'shutdown' );
    },
    Stopped => sub { print "stopped\n" },
);

POE::Kernel->run;
