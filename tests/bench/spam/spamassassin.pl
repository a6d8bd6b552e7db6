#!/usr/bin/perl
# Trains SpamAssassin's Bayes on one list of messages and scores another, in one process and without a network.
# spamassassin.pl HOME TRAIN TEST: lists have `spam` or `ham`, a tab, a path on each line. Prints for each of TEST path,
# score and milliseconds of processor time, tabs between, and last the octets of memory at its peak.
use strict;
use warnings;
use Mail::SpamAssassin;
use Time::HiRes;

my ($home, $train, $test) = @ARGV;
mkdir $home;
$ENV{HOME} = $home;

# The fields after bayes_ignore_header say where a message of the corpus comes from, not what it is: the file may name them.
open my $preferences, '>', "$home/user_prefs" or die "$home/user_prefs: $!";
print $preferences "use_bayes 1\nbayes_auto_learn 0\nbayes_auto_expire 0\nbayes_path $home/bayes\n";
print $preferences "bayes_ignore_header $_\n" for split / /, $ENV{FACTEUR_IGNORED} // '';
close $preferences;

my $assassin = Mail::SpamAssassin->new({
    local_tests_only => 1,
    dont_copy_prefs => 1,
    userprefs_filename => "$home/user_prefs",
    userstate_dir => $home,
    home_dir_for_helpers => $home,
});
$assassin->init(1);

sub listed {
    my ($list) = @_;
    open my $lines, '<', $list or die "$list: $!";
    return map { chomp; [split /\t/, $_, 2] } <$lines>;
}

sub message {
    my ($path) = @_;
    open my $file, '<:raw', $path or die "$path: $!";
    local $/;
    return $assassin->parse(<$file>, 1);
}

$assassin->init_learner({ caller_will_untie => 1 });
for my $entry (listed($train)) {
    my $message = message($entry->[1]);
    my $learned = $assassin->learn($message, undef, $entry->[0] eq 'spam', 0);
    $learned->finish;
    $message->finish;
}
$assassin->rebuild_learner_caches;
$assassin->finish_learner;

$| = 1;
for my $entry (listed($test)) {
    my ($user, $system) = times;
    my $message = message($entry->[1]);
    my $status = $assassin->check($message);
    my $score = $status->get_score;
    $status->finish;
    $message->finish;
    my ($user_after, $system_after) = times;
    printf "%s\t%.3f\t%d\n", $entry->[1], $score, 1000 * ($user_after - $user + $system_after - $system);
}
open my $proc, '<', '/proc/self/status' or die $!;
for (<$proc>) {
    printf "peak\t%d\t0\n", 1024 * $1 if /^VmHWM:\s+(\d+)/;
}
