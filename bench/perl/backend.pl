#!/usr/bin/perl
# Both ends of bench's group "backend" as Apache::Backend::POE has them: Storable
# messages, framed by POE::Filter::Reference, between a plain socket and
# POE::Component::Server::TCP.
#
#     perl backend.pl                 the server: prints where it listens, answers each
#                                     line of standard input, and ends when that does
#     perl backend.pl ROW OPS ADDR    the client: prints what an operation took, and how
#                                     long each waited, as one line of JSON
use strict;
use warnings;
use IO::Select;
use IO::Socket::INET;
use POE qw(Component::Server::TCP Wheel::ReadWrite Filter::Line Filter::Reference);
use Socket qw(inet_ntoa unpack_sockaddr_in IPPROTO_TCP TCP_NODELAY);
use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC CLOCK_PROCESS_CPUTIME_ID);

# conns and requests under way on each.
my %rows = ('backend-1' => [1, 1], 'backend-64' => [64, 1], 'backend-1x64' => [1, 64]);
my $payload = ('x' x 63) . "\n";

if   (@ARGV) { ask(@ARGV) }
else         { serve() }
POE::Kernel->run;

sub message { return bless {@_}, 'Apache::Backend::POE::Message' }

sub serve {
    POE::Component::Server::TCP->new(
        Address      => '127.0.0.1',
        Port         => 0,
        ClientFilter => 'POE::Filter::Reference',
        ClientInput  => sub {
            my ($heap, $m) = @_[HEAP, ARG0];
            $heap->{client}->put(message(event => 'reply', reply_to => $m->{id}, args => $m->{args}));
        },
        ClientError => sub { },
        Started     => sub {
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
}

sub ask {
    my ($row, $ops, $addr) = @_;
    die 'want ROW OPS ADDR: one of ' . join(', ', sort keys %rows) . ", a number from 1, and host:port\n"
        unless @_ == 3 && $rows{$row} && $ops =~ /\A[1-9][0-9]*\z/;
    my ($conns, $each) = @{ $rows{$row} };
    my @ends = map { connected($addr) } 1 .. $conns;
    work(2 * $conns * $each, $each, @ends);    # to warm up
    my ($begun, $cpu) = (now(), clock_gettime(CLOCK_PROCESS_CPUTIME_ID));
    my $waits = work($ops, $each, @ends);
    my ($ns, $us) = ((now() - $begun) * 1e9 / $ops, (clock_gettime(CLOCK_PROCESS_CPUTIME_ID) - $cpu) * 1e6 / $ops);
    printf qq({"ops":%d,"ns_per_op":%.3f,"cpu_us_per_op":%.3f,"waits_us":[%s]}\n), $ops, $ns, $us,
        join ',', map { sprintf '%.3f', $_ * 1e6 } @$waits;
}

sub now { return clock_gettime(CLOCK_MONOTONIC) }

sub connected {
    my ($addr) = @_;
    my $socket = IO::Socket::INET->new(PeerAddr => $addr) or die "connect to $addr: $!\n";
    setsockopt $socket, IPPROTO_TCP, TCP_NODELAY, 1 or die "setsockopt: $!\n";
    return { socket => $socket, filter => POE::Filter::Reference->new, sent => {}, last => 0 };
}

# work has so many requests under way on each connection until OPS are answered, and
# returns how long each waited.
sub work {
    my ($ops, $each, @ends) = @_;
    my ($left, $answered, @waits) = ($ops, 0);
    my %by     = map { fileno($_->{socket}) => $_ } @ends;
    my $select = IO::Select->new(map { $_->{socket} } @ends);
    for (1 .. $each) {
        for my $end (@ends) { put($end) if $left-- > 0 }
    }
    while ($answered < $ops) {
        for my $socket ($select->can_read) {
            my $end = $by{ fileno $socket };
            sysread $socket, my $bytes, 65536 or die "the server is gone\n";
            for my $m (@{ $end->{filter}->get([$bytes]) }) {
                die "the answer is $m->{event}\n" unless $m->{event} eq 'reply' && $m->{args}[0] eq $payload;
                push @waits, now() - delete $end->{sent}{ $m->{reply_to} };
                $answered++;
                put($end) if $left-- > 0;
            }
        }
    }
    return \@waits;
}

sub put {
    my ($end) = @_;
    my $id = ++$end->{last};
    $end->{sent}{$id} = now();
    my $bytes = join '', @{ $end->{filter}->put([message(cmd => 'echo', id => $id, args => [$payload])]) };
    my $n     = syswrite $end->{socket}, $bytes;
    die "write: $!\n" unless defined $n && $n == length $bytes;
}
