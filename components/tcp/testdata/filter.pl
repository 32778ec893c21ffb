# What the scripts here have in common: the filter that their first argument names,
# random records for it, and answers which say how a record was understood.
use strict;
use warnings;
use FindBin;
require "$FindBin::Bin/../../../wheel/filter/storable/testdata/canon.pl";

use POE qw(Filter::Line Filter::Block Filter::Reference);

my %make = (
    Line       => sub { POE::Filter::Line->new },
    Block      => sub { POE::Filter::Block->new },                            # with the length in front
    Reference  => sub { POE::Filter::Reference->new },                        # Storable
    Compressed => sub { POE::Filter::Reference->new( Compression => 1 ) },
);

sub a_filter {
    my ($name) = @_;
    my $f = $make{$name} or die "filter $name: want one of @{[sort keys %make]}\n";
    return $f->();
}

# What a record is, in ASCII: the bytes in hex, or what canon.pl says.
sub seen { my ($rec) = @_; return ref $rec ? canon($rec) : unpack 'H*', $rec }

# An answer is how the record was seen, and the record itself.
sub answer { my ($rec) = @_; return ref $rec ? [ seen($rec), $rec ] : seen($rec) . " $rec" }

sub answered { my ($ans) = @_; return ref $ans ? @$ans : split / /, $ans, 2 }

sub bye    { my ($name) = @_; return $name =~ /^[LB]/ ? 'bye' : ['bye'] }
sub is_bye { my ($rec) = @_;  return seen($rec) eq seen( ref $rec ? ['bye'] : 'bye' ) }

# some_record returns a random one, of any size up to some KiB, seldom none at all.
my %random = (
    Line       => sub { join '', map { chr( 32 + rand 224 ) } 1 .. size() },
    Block      => sub { join '', map { chr( rand 256 ) } 1 .. size() },
    Reference  => sub { rand() < .5 ? a_list(3) : a_hash(3) },
);
$random{Compressed} = $random{Reference};

sub some_record { my ($name) = @_; return $random{$name}->() }

sub size { return int 2**( rand 13 ) - 1 }

my @scalars = (
    sub { undef },
    sub { int( rand 2**32 ) - 2**31 },
    sub { 2**40 + int rand 1000 },
    sub { .5 - int rand 100 },
    sub { '' },
    sub { join '', map { chr( 32 + rand 95 ) } 1 .. size() / 8 },
    sub { join '', map { chr( 32 + rand 0x2fff ) } 1 .. size() / 8 },    # text
    sub { join '', map { chr( rand 256 ) } 1 .. size() / 8 },            # bytes
    sub { \( my $s = 'referred to' ) },
);

sub a_value {
    my ($depth) = @_;
    my @kinds = ( @scalars, $depth > 0 ? ( \&a_list, \&a_hash ) x 3 : () );
    return $kinds[ rand @kinds ]->( $depth - 1 );
}

sub a_list { my ($depth) = @_; return [ map { a_value($depth) } 1 .. rand 8 ] }
sub a_hash { my ($depth) = @_; return { map { ( "k$_" . chr( 32 + rand 999 ) => a_value($depth) ) } 1 .. rand 8 } }

1;
