# canon($ref) writes what a reference refers to as one line of ASCII, the same
# for all values that are alike to a Perl program:
#   u  s<hex of UTF-8>  [v,v]  {hex:v,hex:v}  \v  Class=v  and, for what was met
#   before on the way down, @
use strict;
use warnings;
use Scalar::Util qw(blessed reftype refaddr);

sub hex8 { my ($s) = @_; utf8::encode($s); unpack "H*", $s }

sub canon {
    my ($ref, %above) = @_;
    return '@' if $above{ refaddr $ref }++;
    my $class = blessed $ref;
    my $type  = reftype $ref;
    my $below = sub { my ($v) = @_; ref $v ? canon($v, %above) : defined $v ? 's' . hex8($v) : 'u' };
    my $text =
        $type eq 'ARRAY' ? '[' . join(',', map { $below->($_) } @$ref) . ']'
      : $type eq 'HASH'  ? '{' . join(',', sort map { hex8($_) . ':' . $below->($ref->{$_}) } keys %$ref) . '}'
      :                    '\\' . $below->($$ref);
    return defined $class ? "$class=$text" : $text;
}

1;
