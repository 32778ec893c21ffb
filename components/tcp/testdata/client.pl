# client.pl FILTER PORT SEED COUNT END: a POE::Component::Client::TCP that sends
# random records, all at once, and says what happens on standard output, a line each.
# When all are answered it shuts down; if END is "bye", it has sent that behind them,
# and waits for the server to close.
use strict;
use warnings;
use FindBin;
require "$FindBin::Bin/filter.pl";

use POE qw(Component::Client::TCP);

$| = 1;
my ( $name, $port, $seed, $count, $end ) = @ARGV;
srand $seed;
my @sent = map { some_record($name) } 1 .. $count;
push @sent, bye($name) if $end eq 'bye';
my $next = 0;

POE::Component::Client::TCP->new(
    RemoteAddress => '127.0.0.1',
    RemotePort    => $port,
    Filter        => a_filter($name),
    Connected     => sub { print "connected\n"; $_[HEAP]{server}->put(@sent) },
    ConnectError  => sub { print "failed $_[ARG0] ", $_[ARG1] + 0, "\n" },
    ServerInput   => sub {
        my ( $seen, $back ) = answered( $_[ARG0] );
        my $want = seen( $sent[$next] );
        print "record $next: sent $want, seen as $seen, back as ", seen($back), "\n"
          if $seen ne $want || seen($back) ne $want;
        return if ++$next < @sent;
        print "$next answers\n";
        $_[KERNEL]->yield('shutdown') if $end ne 'bye';
    },
    ServerError  => sub { print "error $_[ARG0] ", $_[ARG1] + 0, "\n" },
    Disconnected => sub { print "disconnected\n" },
);

POE::Kernel->run;
