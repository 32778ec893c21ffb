# A peer that speaks POE::Filter::Reference, without a kernel.
#   reference.pl COMPRESSION SERIALIZER    (0 or 1; storable or json)
# Each record on stdin is answered by one on stdout: a list of its canonical
# text and the record itself. What cannot be read is answered by a list of "".
use strict;
use warnings;
use FindBin;
use POE::Filter::Reference;
require "$FindBin::Bin/../storable/testdata/canon.pl";

package JSONish {
    use JSON::PP;
    sub new { bless { json => JSON::PP->new->utf8->canonical }, shift }
    sub freeze { $_[0]{json}->encode($_[1]) }
    sub thaw   { $_[0]{json}->decode($_[1]) }
}

my ($compression, $serializer) = @ARGV;
my $filter = POE::Filter::Reference->new(
    Compression => $compression,
    NoFatals    => 1,
    ($serializer eq 'json' ? (Serializer => JSONish->new) : ()),
) or die "no filter";

binmode $_ for *STDIN, *STDOUT;
$| = 1;
while (sysread STDIN, my $chunk, 7) { # small, so that records come in pieces
    $filter->get_one_start([$chunk]);
    while (my ($record) = @{ $filter->get_one }) {
        print @{ $filter->put([ ref $record ? [canon($record), $record] : [""] ]) };
    }
}
