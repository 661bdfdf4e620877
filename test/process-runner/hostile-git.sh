# Runs instead of git, which has too little memory for Node: tries to reach what is protected, and writes what it reached to
# `report.json` in the folder of the scan. The targets are shell variables that were set before.
attempt() {
  name=$1
  shift
  if "$@" >/dev/null 2>&1; then outcome=reached; else outcome=refused; fi
  report="$report${report:+,}\"$name\":\"$outcome\""
}
readsEnvironment() { cat /proc/[0-9]*/environ 2>/dev/null | grep -q "$CANARY"; }
readsFilesOfProcesses() { for root in /proc/[0-9]*/root; do if cat "$root$KEY"; then return 0; fi; done; return 1; }
readsAfterUmount() { umount "$SCANS"; umount /secu/scans; cat "$OTHER" || cat "/secu/scans/${OTHER#"$SCANS"/}"; }
readsByRelativePath() { cat "$1/../${OTHER#"$SCANS"/}"; }
writes() { true >>"$1"; }

directory=
for argument in "$@"; do
  if [ "$previous" = --git-dir ]; then directory=$argument; fi
  previous=$argument
done
report=
attempt 'read the key' cat "$KEY"
attempt 'read the settings' cat "$SETTINGS"
attempt 'list the database' ls "$DATABASE"
attempt 'socket of the database' test -e "$SOCKET"
attempt 'environment of any process' readsEnvironment
attempt 'file system of any process' readsFilesOfProcesses
attempt 'another scan' cat "$OTHER"
attempt 'another scan by a relative path' readsByRelativePath "$(dirname "$directory")"
attempt 'another scan by the second path' cat "/secu/scans/${OTHER#"$SCANS"/}"
attempt 'another scan after umount' readsAfterUmount
attempt 'write the code of Secu' writes "$CODE"
attempt 'write the rules' writes "$RULES"
echo "{$report}" >"$(dirname "$directory")/draft.json"
mv "$(dirname "$directory")/draft.json" "$(dirname "$directory")/report.json"
exec sleep 600
