# A client as Apache::Backend::POE has it: a plain socket, Storable objects framed
# as POE::Filter::Reference does. It says what it gets, a line each.
use strict;
use warnings;
use IO::Socket::INET;
use POE::Filter::Reference;

my ( $port, $size ) = @ARGV;
my $socket = IO::Socket::INET->new( PeerAddr => '127.0.0.1', PeerPort => $port ) or die "connect: $!\n";
my $filter = POE::Filter::Reference->new;
my @got;
$| = 1;

sub put {
    my ( $class, %fields ) = @_;
    my $bytes = join '', @{ $filter->put( [ bless {%fields}, $class ] ) };
    for ( my $at = 0 ; $at < length $bytes ; ) {
        my $n = syswrite $socket, $bytes, 65536, $at;
        defined $n or die "write: $!\n";
        $at += $n;
    }
}

sub message { put( 'Apache::Backend::POE::Message', @_ ) }

sub get {
    until (@got) {
        my $n = sysread $socket, my $bytes, 65536;
        $n or die "the server is gone\n";
        push @got, @{ $filter->get( [$bytes] ) };
    }
    my $m = shift @got;
    return join ' ', ref $m, map { "$_=" . ( ref $m->{$_} ? join ',', @{ $m->{$_} } : $m->{$_} ) } grep { !/time/ } sort keys %$m;
}

message( cmd => 'register_service', svc_name => 'Perl' );
message( cmd => 'ping', time => time );
print get(), "\n";
message( cmd => 'ping', time => time, id => 7 );
print get(), "\n";
message( cmd => 'nonsense' );
print get(), "\n";
put( 'No::Such::Class', cmd => 'ping' );    # ignored, and the connection stays (B34)
message( cmd => 'double', args => [21], id => 8 );
print get(), "\n";
message( client => 'bob', big => 'x' x $size, number => 5 );
print get(), "\n" for 1 .. 2;               # by name, and to all
