# Processes of one cluster: each has a pid file, and all of them live in one control group, so that stopping
# a cluster finds every container and every shim too, whoever their parent is by then. Sourced by `clusters`.
#
# Expects: state (the cluster's folder), slot (its number on this machine).

# The hierarchy that holds our processes: the kubelet moves containers about in the others.
cgroup_hierarchy() {
  local hierarchy
  for hierarchy in /sys/fs/cgroup/unified /sys/fs/cgroup/pids /sys/fs/cgroup; do
    [ -f "$hierarchy/cgroup.procs" ] && echo "$hierarchy" && return
  done
  return 1
}

# All hierarchies: one of version 2, or version 1's, a folder each.
cgroup_hierarchies() {
  if [ -f /sys/fs/cgroup/cgroup.procs ]; then
    echo /sys/fs/cgroup
  else
    find /sys/fs/cgroup -mindepth 1 -maxdepth 1 -type d
  fi
}

# A pid is used again once its process is gone, so what identifies a process is its pid and its start time.
start_time() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20; }

# A process that has ended is a zombie until its parent looks, and a slow PID 1 may not look for long.
ended() { case $(sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -c1) in '' | Z | X) true ;; *) false ;; esac; }

running() {
  local pid started
  read -r pid started 2>/dev/null <"$state/pid/$1" || return 1
  ! ended "$pid" && [ "$(start_time "$pid")" = "$started" ]
}

pid_of() { cut -d' ' -f1 "$state/pid/$1"; }

# start PART PROCESS COMMAND...: nothing if it runs already. PART is control-plane or node, which end separately.
start() {
  local group process=$2 pid
  group=$(cgroup_hierarchy)/longshore-$slot/$1
  shift 2
  running "$process" && return
  mkdir -p "$group" "$state/pid" "$state/log"
  (
    exec 9>&- # the lock that the caller holds
    echo "$BASHPID" >"$group/cgroup.procs"
    cd "$state"
    umask 022 # ours would close the containers' root folders to all but root
    exec setsid "$@"
  ) >>"$state/log/$process.log" 2>&1 </dev/null &
  pid=$!
  echo "$pid $(start_time "$pid")" >"$state/pid/$process"
}

# stop PROCESS [SIGNAL]: waits until it is gone, and kills it if it will not go.
stop() {
  local process=$1 pid
  if running "$process"; then
    pid=$(pid_of "$process")
    kill "-${2:-TERM}" "$pid" 2>/dev/null || true
    wait_until 5 ended "$pid" || kill -KILL "$pid" 2>/dev/null || true
    wait_until 5 ended "$pid" || { echo "process $pid ($process) does not end" >&2; return 1; }
  fi
  rm -f "$state/pid/$process"
}

# wait_until SECONDS COMMAND...
wait_until() {
  local end=$((SECONDS + $1 + 1))
  shift
  until "$@"; do
    [ $SECONDS -lt $end ] || return 1
    sleep 0.1
  done
}

# end_groups [PART...]: kills whatever is in those control groups of the cluster, or in all, and removes them.
# Containers are in the hierarchies that their runtime chose, hence all hierarchies are looked at.
end_groups() {
  local hierarchy part tree trees=()
  for hierarchy in $(cgroup_hierarchies); do
    for part in "${@:-.}"; do
      tree=$hierarchy/longshore-$slot/$part
      [ -d "$tree" ] && trees+=("${tree%/.}")
    done
  done
  [ ${#trees[@]} -gt 0 ] || return 0
  wait_until 10 cgroups_empty "${trees[@]}" || echo "some processes of slot $slot do not end" >&2
  for tree in "${trees[@]}"; do
    wait_until 5 remove_cgroup_tree "$tree" || echo "cannot remove the control group $tree" >&2
  done
}

cgroups_empty() {
  local pid empty=true
  for pid in $(find "$@" -name cgroup.procs -exec cat {} + 2>/dev/null | sort -u); do
    ended "$pid" && continue
    kill -KILL "$pid" 2>/dev/null || true
    empty=false
  done
  $empty
}

remove_cgroup_tree() {
  find "$1" -depth -type d -exec rmdir {} + 2>/dev/null
  [ ! -d "$1" ]
}
