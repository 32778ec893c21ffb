# The Perl side of the property tests.
#   storable.pl thaw         frozen values on stdin, each behind its length (4
#                            bytes, big-endian); a canonical line for each
#   storable.pl freeze SEED  values at random: a canonical line, then what
#                            nfreeze and freeze give, in hex
use strict;
use warnings;
use FindBin;
use Storable qw(freeze nfreeze thaw);
require "$FindBin::Bin/canon.pl";

my @shared;

sub text {
    my ($from, $to) = @_;
    join '', map { chr($from + int rand($to - $from)) } 1 .. int rand(rand() < .1 ? 400 : 6);
}

sub scalar_at_random {
    my $kind = int rand 12;
    return undef                              if $kind == 0;
    return int(rand 256) - 128                if $kind == 1;
    return int(rand 2**32) - 2**31            if $kind == 2;
    return int(rand 2**53) * (rand() < .5 ? 1 : -1) if $kind == 3;
    return sprintf('%.9g', rand(1000) - 500) + 0 if $kind == 4; # Perl writes 15 digits
    return text(0, 128)                       if $kind == 5;
    return text(0, 256)                       if $kind == 6;
    return text(0x80, 0x3000)                 if $kind == 7;
    return text(0x10000, 0x10ffff)            if $kind == 8;
    return rand() < .5                        if $kind == 9;
    if ($kind == 10) { my $upgraded = text(0, 256); utf8::upgrade($upgraded); return $upgraded }
    my $number = int rand 100;
    my $used = "$number";
    return $number;
}

sub value {
    my ($depth) = @_;
    return scalar_at_random() if $depth == 0 || rand() < .3;
    return $shared[rand @shared] if @shared && rand() < .2;
    my $kind = int rand 4;
    my $ref = $kind == 0 ? [map { value($depth - 1) } 1 .. int rand 6]
      : $kind == 1 ? { map { text(0, 128) => value($depth - 1) } 1 .. int rand 6 }
      : $kind == 2 ? { map { text(0, 0x300) => value($depth - 1) } 1 .. int rand 6 }
      :              \(my $scalar = value($depth - 1));
    bless $ref, rand() < .5 ? 'My::Class' : 'Other' if rand() < .2;
    push @shared, $ref;
    return $ref;
}

if ($ARGV[0] eq 'thaw') {
    binmode STDIN;
    while (read STDIN, my $length, 4) {
        read STDIN, my $frozen, unpack 'N', $length;
        print canon(thaw($frozen)), "\n";
    }
}
else {
    srand $ARGV[1];
    for (1 .. 300) {
        @shared = ();
        my $ref = $_ == 1 ? [map bless([], "C" . $_ % 300), 1 .. 600] : value(5);
        $ref = \(my $scalar = $ref) unless ref $ref;
        print canon($ref), ' ', unpack('H*', nfreeze($ref)), ' ', unpack('H*', freeze($ref)), "\n";
    }
}
