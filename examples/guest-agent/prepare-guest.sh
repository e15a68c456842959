#!/bin/sh
# Makes the queues of a guest, and the file that its agent needs.
#
#   prepare-guest.sh GUEST FILE [EXPIRES]
#
# Jobs go to GUEST-jobs, outcomes come to GUEST-outcomes; what was tried five times in vain lies in GUEST-failed. FILE must
# not be there yet. EXPIRES is a time such as 2030-01-31T12:00:00; a day from now where it is not given. ZAQAR_URL is the
# address of the service as the guest reaches it; who asks is found as `zaqar` finds it (docs/command-line.md).
set -eu
guest=${1:?the name of a guest is missing}
file=${2:?the name of a file is missing}

zaqar queue create "$guest-failed"
zaqar queue create "$guest-jobs" _dead_letter_queue="$guest-failed" _max_claim_count=5
zaqar queue create "$guest-outcomes"

# To claim takes POST at claims, to renew a claim PATCH, to give it back DELETE; what is done is deleted from messages.
zaqar signed-url create "$guest-jobs" --output "$file" --reply "$guest-outcomes" ${3:+--expires "$3"} \
  --method POST --method PATCH --method DELETE --path claims --path messages
