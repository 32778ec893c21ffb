# client.pl FILTER PORT LINE...: a POE::Component::Client::TCP that sends the lines,
# one after each answer, and says what happens on standard output, a line each.
# After the last answer it shuts down, unless that line was "bye": then it waits for
# the server to close.
use strict;
use warnings;
use FindBin;
require "$FindBin::Bin/filter.pl";

use POE qw(Component::Client::TCP);

$| = 1;
my ( $name, $port, @lines ) = @ARGV;

sub next_line {
    my ( $kernel, $heap ) = @_;
    if (@lines) {
        $heap->{last} = shift @lines;
        $heap->{server}->put( record( $name, $heap->{last} ) );
    }
    elsif ( $heap->{last} ne 'bye' ) {
        $kernel->yield('shutdown');
    }
}

POE::Component::Client::TCP->new(
    RemoteAddress => '127.0.0.1',
    RemotePort    => $port,
    Filter        => a_filter($name),
    Connected     => sub { print "connected\n"; next_line( @_[ KERNEL, HEAP ] ) },
    ConnectError  => sub { print "failed $_[ARG0] ", $_[ARG1] + 0, "\n" },
    ServerInput   => sub {
        print "input ", text( $name, $_[ARG0] ), "\n";
        next_line( @_[ KERNEL, HEAP ] );
    },
    ServerError  => sub { print "error $_[ARG0] ", $_[ARG1] + 0, "\n" },
    Disconnected => sub { print "disconnected\n" },
);

POE::Kernel->run;
