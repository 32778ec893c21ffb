#!/usr/bin/perl
# The rows of bench's group "http-client" in Perl's POE: does one row OPS times
# against the server at ADDR, on connections that it has opened before, and prints
# what an operation took, and of processors, as one line of JSON.
#
#     perl http.pl ROW OPS ADDR
use strict;
use warnings;
use HTTP::Request;
use POE qw(Component::Client::HTTP Component::Client::Keepalive);
use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC CLOCK_PROCESS_CPUTIME_ID);

my %rows = ('get-1' => sub { gets(1) }, 'get-64' => sub { gets(64) }, 'pool-hit' => \&loans);

my ($row, $ops, $addr) = @ARGV;
die 'want ROW OPS ADDR: one of ' . join(', ', sort keys %rows) . ", a number from 1, and host:port\n"
    unless @ARGV == 3 && $rows{$row} && $ops =~ /\A[1-9][0-9]*\z/;
my ($host, $port) = $addr =~ /\A(.*):([0-9]+)\z/;

my (@begun, @ended);
$rows{$row}->();
POE::Kernel->run;
die "$row: only part of $ops operations was done\n" unless @ended;
my ($ns, $cpu) = map { $ended[$_] - $begun[$_] } 0, 1;
printf qq({"ops":%d,"ns_per_op":%.3f,"cpu_us_per_op":%.3f}\n), $ops, $ns * 1e9 / $ops, $cpu * 1e6 / $ops;

sub now { return (clock_gettime(CLOCK_MONOTONIC), clock_gettime(CLOCK_PROCESS_CPUTIME_ID)) }

sub pool {
    my ($size) = @_;
    return POE::Component::Client::Keepalive->new(
        keep_alive => 60, max_open => $size, max_per_host => $size, timeout => 60);
}

# work begins operations, a few at a time: some to warm up, then OPS more. It returns
# what is to be called in the end of each.
sub work {
    my ($at_a_time, $warm_up, $begin, $last) = @_;
    my ($left, $flying, $measured) = ($warm_up, 0, 0);
    my $fill = sub {
        while ($left > 0 && $flying < $at_a_time) { $left--; $flying++; $begin->() }
    };
    $fill->();
    return sub {
        $flying--;
        if ($left == 0 && $flying == 0) {
            if ($measured) { @ended = now(); return $last->() }
            ($left, $measured, @begun) = ($ops, 1, now());
        }
        $fill->();
    };
}

sub gets {
    my ($at_a_time) = @_;
    my $pool = pool($at_a_time);
    POE::Component::Client::HTTP->spawn(Alias => 'ua', ConnectionManager => $pool);
    my $done;
    POE::Session->create(inline_states => {
        _start => sub {
            $done = work($at_a_time, 2 * $at_a_time,
                sub { POE::Kernel->post(ua => 'request', 'answer', HTTP::Request->new(GET => "http://$addr/")) },
                sub { POE::Kernel->post(ua => 'shutdown'); $pool->shutdown });
        },
        answer => sub {
            my $r = $_[ARG1][0];
            die 'the answer is ' . $r->as_string unless $r->is_success && $r->content eq 'hello, world';
            $done->();
        },
    });
}

sub loans {
    my $pool = pool(1);
    my $done;
    POE::Session->create(inline_states => {
        _start => sub {
            $done = work(1, 2,
                sub { $pool->allocate(scheme => 'http', addr => $host, port => $port, event => 'lent', context => 1) },
                sub { $pool->shutdown });
        },
        lent => sub {
            delete $_[ARG0]{connection} or die "no connection: $_[ARG0]{error_str}\n";
            $done->();
        },
    });
}
