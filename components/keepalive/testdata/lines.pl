# lines.pl: a POE::Component::Server::TCP on a free port of the loopback interface. It
# says "port N" on standard output. It answers each line with which connection it came
# on, which line of that it was, and the line in capitals. Some lines are special:
#
#   bye    the connection is closed behind the answer
#   twice  a line follows that nobody asked for, in the same write
#   slow   the answer takes a fifth of a second
#   half   the answer has no end
use strict;
use warnings;

use POE qw(Component::Server::TCP);
use Socket qw(unpack_sockaddr_in);

$| = 1;
my $connections = 0;

POE::Component::Server::TCP->new(
    Address => '127.0.0.1',
    Port    => 0,
    Started => sub {
        my ($port) = unpack_sockaddr_in( $_[HEAP]{listener}->getsockname );
        print "port $port\n";
    },
    ClientFilter    => [ 'POE::Filter::Line', OutputLiteral => '' ],
    ClientConnected => sub { $_[HEAP]{number} = ++$connections; $_[HEAP]{lines} = 0 },
    ClientError     => sub { },
    InlineStates    => { late => sub { $_[HEAP]{client}->put( $_[ARG0] ) if $_[HEAP]{client} } },
    ClientInput     => sub {
        my $line   = $_[ARG0];
        my $answer = join( ' ', $_[HEAP]{number}, ++$_[HEAP]{lines}, uc $line );
        if ( $line eq 'slow' ) { return $_[KERNEL]->delay_set( late => 0.2, "$answer\n" ) }
        $answer .= "\n" if $line ne 'half';
        $answer .= "and more\n" if $line eq 'twice';
        $_[HEAP]{client}->put($answer);
        $_[KERNEL]->yield('shutdown') if $line eq 'bye';
    },
);

POE::Kernel->run;
