#!/usr/bin/perl
# The rows of bench's group "messaging" in Perl's POE, as messaging.go describes
# them: does one row OPS times and prints what an operation took, without what it
# takes to start and to end, as one line of JSON.
#
#     perl messaging.pl ROW OPS
use strict;
use warnings;
use POE;
use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC);

use constant { RING => 1000, FAN => 1000 };

my %rows = (
    'yield'     => \&yield_to_self,
    'ping-pong' => sub { ring(2,    $_[0] * 2) },
    'ring'      => sub { ring(RING, $_[0]) },
    'flood'     => sub { stream(1,   $_[0]) },
    'fan-out'   => sub { stream(FAN, $_[0]) },
    'call'      => \&call,
    'spawn'     => \&spawn,
);

my ($row, $ops) = @ARGV;
my $usage = 'want ROW OPS: one of ' . join(', ', sort keys %rows) . ", and a number from 1\n";
die $usage unless @ARGV == 2 && $rows{$row} && $ops =~ /\A[1-9][0-9]*\z/;

my ($begun, $ended);
$rows{$row}->($ops);
POE::Kernel->run;
die "$row: only part of $ops operations was done\n" unless defined $ended;
printf qq({"ops":%d,"ns_per_op":%.3f}\n), $ops, ($ended - $begun) * 1e9 / $ops;

sub now { clock_gettime(CLOCK_MONOTONIC) }

# member makes a session that waits for events under an alias.
sub member {
    my (%states) = @_;
    my $session = POE::Session->create(inline_states => {
        _start => sub { $_[KERNEL]->alias_set('member ' . $_[SESSION]->ID) },
        %states,
    });
    return $session->ID;
}

# starter makes a session that begins to count time, and does the work.
sub starter {
    my ($work) = @_;
    POE::Session->create(inline_states => {
        _start => sub { $_[KERNEL]->yield('go') },
        go     => sub { $begun = now(); $work->($_[KERNEL]) },
    });
}

sub yield_to_self {
    my ($events) = @_;
    my $at = member(pass => sub {
        my $token = $_[ARG0];
        if (--$token->{left}) {
            $_[KERNEL]->yield('pass', $token);
        } else {
            $ended = now();
        }
    });
    starter(sub { $_[0]->post($at, 'pass', { left => $events }) });
}

# ring passes one token on, so many hops.
sub ring {
    my ($members, $hops) = @_;
    my @at;
    for my $i (0 .. $members - 1) {
        push @at, member(pass => sub {
            my $token = $_[ARG0];
            if (--$token->{left}) {
                $_[KERNEL]->post($at[($i + 1) % $members], 'pass', $token);
            } else {
                $ended = now();
            }
        });
    }
    starter(sub { $_[0]->post($at[0], 'pass', { left => $hops }) });
}

# stream posts all events from one handler, to the receivers in turn.
sub stream {
    my ($receivers, $events) = @_;
    my $token = { left => $events };
    my $pass  = sub { $ended = now() unless --$_[ARG0]{left} };
    my @at    = map { member(pass => $pass) } 1 .. $receivers;
    starter(sub {
        my ($kernel) = @_;
        $kernel->post($at[$_ % $receivers], 'pass', $token) for 0 .. $events - 1;
    });
}

sub call {
    my ($calls) = @_;
    my $token    = {};
    my $answerer = member(pass => sub { $_[ARG0] });
    starter(sub {
        my ($kernel) = @_;
        $kernel->call($answerer, 'pass', $token) for 1 .. $calls;
        $ended = now();
    });
}

# spawn makes children of the session whose handler runs; they end after it.
sub spawn {
    my ($members) = @_;
    my %states = (_start => sub { });
    starter(sub {
        POE::Session->create(inline_states => \%states) for 1 .. $members;
        $ended = now();
    });
}
