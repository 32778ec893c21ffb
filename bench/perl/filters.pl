#!/usr/bin/perl
# The rows of bench's group "filters" in Perl's POE, as filters.go describes them:
# takes OPS records out of what a filter is fed and prints what a record took, as one
# line of JSON.
#
#     perl filters.pl ROW OPS
use strict;
use warnings;
use POE qw(
    Filter::Block Filter::Grep Filter::Line Filter::Map Filter::RecordBlock
    Filter::Reference Filter::Stackable Filter::Stream
);
use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC);
POE::Kernel->run; # there are no sessions; it warns if this is left out

use constant { FEED => 32 << 10, WIRE => 1 << 20, BLOCK => 16 };

# A serializer, as POE::Filter::Reference wants it.
package JSONSerializer {
    use JSON::PP;
    sub nfreeze { encode_json($_[0]) }
    sub thaw    { decode_json($_[0]) }
}

my $line = 'x' x 63;
my $job  = { job => 7, args => ['select', 'from'], user => { name => 'joe', id => 70000 } };

# on_lines is a filter behind one of lines.
sub on_lines { POE::Filter::Stackable->new(Filters => [POE::Filter::Line->new, @_]) }

# Each row makes its filter. Its stream is lines, or RECORD as the filter writes it,
# or the text that ROW gives.
my %rows = (
    'filter-line'            => [sub { POE::Filter::Line->new }],
    'filter-line-literal'    => [sub { POE::Filter::Line->new(Literal => "\n") }],
    'filter-line-regexp'     => [sub { POE::Filter::Line->new(InputRegexp => '\r?\n') }],
    'filter-line-autodetect' => [sub { POE::Filter::Line->new(InputLiteral => '') }],
    'filter-stream'          => [sub { POE::Filter::Stream->new }],
    'filter-block-fixed'     => [sub { POE::Filter::Block->new(BlockSize => 64) }],
    'filter-block'           => [sub { POE::Filter::Block->new }, record => "$line\n"],
    'filter-recordblock'     => [sub { on_lines(POE::Filter::RecordBlock->new(BlockSize => BLOCK)) }],
    'filter-map'             => [sub { on_lines(POE::Filter::Map->new(Code => sub { $_ })) }],
    'filter-grep'            => [sub { on_lines(POE::Filter::Grep->new(Code => sub { $_ ne '' })) }],
    'filter-stack'           => [
        sub { POE::Filter::Stackable->new(Filters => [POE::Filter::Block->new, POE::Filter::Line->new]) },
        record => $line,
    ],
    'filter-reference-json'     => [sub { POE::Filter::Reference->new(Serializer => 'JSONSerializer') }, record => $job],
    'filter-reference-storable' => [sub { POE::Filter::Reference->new }, record => $job],
    'filter-httpd'              => [
        sub { require POE::Filter::HTTPD; POE::Filter::HTTPD->new },
        text => "GET /index.html HTTP/1.1\r\nHost: example.org\r\nAccept: */*\r\n\r\n",
    ],
);

my ($row, $ops) = @ARGV;
my $usage = 'want ROW OPS: one of ' . join(', ', sort keys %rows) . ", and a number from 1\n";
die $usage unless @ARGV == 2 && $rows{$row} && $ops =~ /\A[1-9][0-9]*\z/;

my ($new, %stream) = @{ $rows{$row} };
my $text = $stream{text} // "$line\n";
$text = join('', @{ $new->()->put([$stream{record}]) }) if $stream{record};
my @feed = unpack '(a' . FEED . ')*', $text x (int(WIRE / length $text) + 1);

my ($filter, $left, $piece) = ($new->(), $ops, 0);
my $begun = clock_gettime(CLOCK_MONOTONIC);
FEED: while (1) {
    $filter->get_one_start([$feed[$piece++ % @feed]]);
    while (my @records = @{ $filter->get_one }) {
        last FEED if ($left -= @records) <= 0;
    }
}
my $ended = clock_gettime(CLOCK_MONOTONIC);
printf qq({"ops":%d,"ns_per_op":%.3f}\n), $ops, ($ended - $begun) * 1e9 / ($ops - $left);
