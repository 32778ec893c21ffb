# What server.pl and client.pl have in common: the filter that their first argument
# names, and records made of lines for those filters that carry something else.
use strict;
use warnings;

use POE qw(Filter::Line Filter::Block Filter::Reference);

my %make = (
    Line      => sub { POE::Filter::Line->new },
    Block     => sub { POE::Filter::Block->new },      # with the length in front
    Reference => sub { POE::Filter::Reference->new },  # Storable
);

sub a_filter {
    my $name = shift // 'Line';
    my $f    = $make{$name} or die "filter $name: want one of @{[sort keys %make]}\n";
    return $f->();
}

# With Reference, a record is { text => $line, length => length $line }.
sub record { my ( $name, $line ) = @_; return $name eq 'Reference' ? { text => $line, length => length $line } : $line }
sub text   { my ( $name, $rec ) = @_;  return $name eq 'Reference' ? $rec->{text} : $rec }

1;
