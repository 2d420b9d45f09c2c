# The cluster's node: a containerd, a kubelet and a kube-proxy in a network and a mount namespace of their own,
# running real containers. Sourced by `clusters`.
#
# The namespaces have no name in the file system: one sleeping process holds them, and they go when it goes, with
# every mount, link and firewall rule inside.

holder=node-namespaces
node_link() { echo "lsnode$slot"; }
inside() { nsenter --target "$(pid_of $holder)" --mount --net "$@"; }
runtime() { ctr --address "$state/containerd.sock" --namespace k8s.io "$@"; }
runtime_answers() { runtime version >/dev/null 2>&1; }

start_node() {
  if ! running $holder; then
    stop_node # what a lost node has left
    open_namespaces
  fi
  start_containerd
  import_images
  make_node_cgroups
  start_kubelet
  start_kube_proxy
}

open_namespaces() {
  local address
  # Two kubelets on one machine delete each other's logs in /var/log/pods, and CNI, containerd and iptables keep
  # state in /run and /var/lib: the node sees folders of its own there, and the machine's stay clean.
  mkdir -p "$state"/node/{lib,log}
  start node $holder unshare --mount --net sh -ec '
    mount --bind "$1/lib" /var/lib
    mount --bind "$1/log" /var/log
    mount -t tmpfs -o mode=755 tmpfs /run
    mkdir -p /run/netns /run/lock
    mount --make-rshared /
    touch "$1/opened"
    exec sleep infinity' namespaces "$state/node"
  await $holder 10 'namespaces' test -e "$state/node/opened"
  rm "$state/node/opened"

  ip link delete "$(node_link)" 2>/dev/null || true
  ip link add "$(node_link)" type veth peer name eth0 netns "$(pid_of $holder)"
  ip link set "$(node_link)" master "$(bridge_of "$slot")" up
  inside ip link set lo up
  inside ip address add "$(node_address)/24" dev eth0
  inside ip link set eth0 up
  inside ip route add default via "$(host_address)"
  inside sysctl -q -w net.ipv4.ip_forward=1 net.ipv4.conf.all.route_localnet=1
  # Absent where the kernel has no bridge firewall; then a pod reaches a service that leads to itself's node only.
  inside sysctl -q -w net.bridge.bridge-nf-call-iptables=1 2>/dev/null || true
  # From this machine, tests reach pods and services by their addresses.
  for address in "$(pod_range)" "$(service_range)"; do
    ip route replace "$address" via "$(node_address)"
  done
}

start_containerd() {
  local snapshotter=overlayfs
  # An overlay cannot lie on an overlay, which is what a container's own disk is.
  [ "$(stat -f -c %T "$state")" = overlayfs ] && snapshotter=native
  mkdir -p "$state"/node/{cni,registries/_default}
  # There is no registry. Asking a closed port says so at once, where a name to look up takes until its timeout.
  printf 'server = "http://127.0.0.1:1"\n[host."http://127.0.0.1:1"]\n  capabilities = ["pull", "resolve"]\n' >"$state/node/registries/_default/hosts.toml"
  cat >"$state/node/cni/10-bridge.conflist" <<END
{"cniVersion": "0.4.0", "name": "$name", "plugins": [
  {"type": "bridge", "bridge": "pods", "isGateway": true, "hairpinMode": true,
   "ipam": {"type": "host-local", "dataDir": "/run/addresses", "ranges": [[{"subnet": "$(pod_range)"}]], "routes": [{"dst": "0.0.0.0/0"}]}},
  {"type": "portmap", "capabilities": {"portMappings": true}}
]}
END
  cat >"$state/node/containerd.toml" <<END
version = 2
root = "$state/node/containerd"
state = "/run/containerd"
disabled_plugins = [
  "io.containerd.internal.v1.opt", "io.containerd.internal.v1.tracing", "io.containerd.tracing.processor.v1.otlp",
  "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.devmapper",
]
[grpc]
  address = "$state/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "longshore.test/pause:1"
  disable_apparmor = true
  # Without CAP_SYS_RESOURCE (containers, small virtual machines) every pod fails otherwise.
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = "$state/node/registries"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "$state/node/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "$snapshotter"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
END
  start node containerd nsenter --target "$(pid_of $holder)" --mount --net containerd --config "$state/node/containerd.toml"
  await containerd 30 'answer' runtime_answers
}

import_images() {
  local archive imported
  imported=$(runtime images list --quiet)
  for archive in "$state"/images/*.tar; do
    # web-1.tar holds longshore.test/web:1
    grep -qx "longshore.test/$(basename "$archive" .tar | tr - :)" <<<"$imported" || runtime images import "$archive" >/dev/null
  done
}

# The kubelet wants its root control group to exist, and version 1's cpuset takes no process before it knows its processors.
make_node_cgroups() {
  local hierarchy file
  for hierarchy in $(cgroup_hierarchies); do
    mkdir -p "$hierarchy/longshore-$slot"
  done
  for file in cpuset.cpus cpuset.mems; do
    [ -d /sys/fs/cgroup/cpuset ] && cat "/sys/fs/cgroup/cpuset/$file" >"/sys/fs/cgroup/cpuset/longshore-$slot/$file"
  done
  return 0
}

start_kubelet() {
  mkdir -p "$state"/node/{certificates,lib/kubelet}
  : >"$state/node/resolv.conf"
  cat >"$state/node/kubelet.yaml" <<END
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: $state/pki/ca.crt}}
authorization: {mode: Webhook}
tlsCertFile: $state/pki/node.crt
tlsPrivateKeyFile: $state/pki/node.key
address: $(node_address)
port: 10250
healthzPort: 0
cgroupDriver: cgroupfs
cgroupRoot: /longshore-$slot
enforceNodeAllocatable: [pods]
failSwapOn: false
clusterDomain: cluster.local
resolvConf: $state/node/resolv.conf
nodeStatusUpdateFrequency: 2s
nodeLeaseDurationSeconds: 20
syncFrequency: 10s
evictionHard: {memory.available: 100Mi, nodefs.available: 1%, imagefs.available: 1%, nodefs.inodesFree: 1%}
imageGCHighThresholdPercent: 100
imageGCLowThresholdPercent: 99
maxPods: 100
# The defaults, five calls a second, are for fleets; here they would hold up every status and drop events.
kubeAPIQPS: 200
kubeAPIBurst: 400
eventRecordQPS: 200
eventBurst: 400
registryPullQPS: 0
featureGates: {EphemeralContainers: true}
END
  # --containerd is cAdvisor's: without it the series of containers have no labels and pods no network figures.
  start node kubelet nsenter --target "$(pid_of $holder)" --mount --net env AWS_EC2_METADATA_DISABLED=true "$state/servers/kubelet" \
    --config="$state/node/kubelet.yaml" --kubeconfig="$state/node.kubeconfig" --hostname-override="$name-node" --node-ip="$(node_address)" \
    --cert-dir="$state/node/certificates" --container-runtime=remote --container-runtime-endpoint="unix://$state/containerd.sock" \
    --image-service-endpoint="unix://$state/containerd.sock" --containerd="$state/containerd.sock"
}

start_kube_proxy() {
  cat >"$state/node/kube-proxy.yaml" <<END
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
clientConnection: {kubeconfig: $state/proxy.kubeconfig}
mode: iptables
hostnameOverride: $name-node
clusterCIDR: $(pod_range)
healthzBindAddress: 127.0.0.1:10256
metricsBindAddress: 127.0.0.1:10249
conntrack: {maxPerCore: 0, min: 0, tcpEstablishedTimeout: 0s, tcpCloseWaitTimeout: 0s}
END
  start node kube-proxy nsenter --target "$(pid_of $holder)" --mount --net "$state/servers/kube-proxy" --config="$state/node/kube-proxy.yaml"
}

# Ready, as said by this kubelet: what an earlier one said stands for twenty seconds after it is gone.
node_ready() {
  local heartbeat
  heartbeat=$(curl -s -m 5 --cacert "$state/pki/ca.crt" --cert "$state/pki/admin.crt" --key "$state/pki/admin.key" \
    "https://$(host_address):6443/api/v1/nodes/$name-node" | tr -d ' \n' |
    sed -n 's/.*"type":"Ready","status":"True","lastHeartbeatTime":"\([^"]*\)".*/\1/p')
  [ -n "$heartbeat" ] && [ "$(date -d "$heartbeat" +%s)" -ge "$(stat -c %Y "$state/pid/kubelet")" ]
}

# Containers outlive their runtime: they are found by their control groups, and their mounts, links and addresses
# are the namespaces'.
stop_node() {
  end_groups node kubepods
  ip link delete "$(node_link)" 2>/dev/null || true
}
