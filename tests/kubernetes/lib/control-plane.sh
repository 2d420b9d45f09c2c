# etcd, the API server, the controller manager and the scheduler of one cluster. Sourced by `clusters`.

# api PATH: the HTTP status of a GET as the administrator; 000 when nothing answers.
api() {
  curl -s -m 5 -o /dev/null -w '%{http_code}' --cacert "$state/pki/ca.crt" --cert "$state/pki/admin.crt" --key "$state/pki/admin.key" \
    "https://$(host_address):6443$1" || true
}
answers() { [ "$(api "$1")" = 200 ]; }

# await PROCESS SECONDS WHAT COMMAND...: fails at once, with the end of its log, when the process ends.
await() {
  local process=$1 end=$((SECONDS + $2)) what=$3
  shift 3
  until "$@"; do
    if ! running "$process" || [ $SECONDS -ge $end ]; then
      { echo "$name: $process: no $what; the end of $state/log/$process.log:"; tail -15 "$state/log/$process.log"; } >&2
      return 1
    fi
    sleep 0.1
  done
}

start_control_plane() {
  # Unix sockets in a folder of root's: whoever reaches etcd is the cluster's administrator. etcd wants them to look
  # like a host and a port; the files etcd:1 and etcd:2 lie in the working folder, which is $state.
  running etcd || rm -f "$state"/etcd:[12] # a killed one leaves them, and does not start on them
  start control-plane etcd etcd --name "$name" --data-dir "$state/etcd" --unsafe-no-fsync \
    --listen-client-urls unix://etcd:1 --advertise-client-urls unix://etcd:1 \
    --listen-peer-urls unix://etcd:2 --initial-advertise-peer-urls unix://etcd:2 --initial-cluster "$name=unix://etcd:2"
  await etcd 30 socket test -S "$state/etcd:1"
  start_apiserver
  # Only now: before the API server has made its first roles, these two are refused and exit.
  start control-plane controller-manager "$state/servers/kube-controller-manager" --kubeconfig="$state/controller-manager.kubeconfig" \
    --port=0 --secure-port=0 --leader-elect=false --use-service-account-credentials=true --kube-api-qps=500 --kube-api-burst=1000 \
    --cluster-name="$name" --cluster-cidr="$(pod_range)" --allocate-node-cidrs=false --service-cluster-ip-range="$(service_range)" \
    --root-ca-file="$state/pki/ca.crt" --service-account-private-key-file="$state/pki/service-accounts.key" \
    --cluster-signing-cert-file="$state/pki/ca.crt" --cluster-signing-key-file="$state/pki/ca.key" \
    --node-monitor-period=2s --node-monitor-grace-period=20s # half of the default: tests cut nodes off
  start control-plane scheduler "$state/servers/kube-scheduler" --kubeconfig="$state/scheduler.kubeconfig" --port=0 --secure-port=0 --leader-elect=false
  await controller-manager 60 'default service account' answers /api/v1/namespaces/default/serviceaccounts/default
}

start_apiserver() {
  # etcd forgets old versions after 30 s at most, so that tests see 410 Gone without waiting ten minutes.
  start control-plane apiserver "$state/servers/kube-apiserver" --bind-address="$(host_address)" --advertise-address="$(host_address)" --secure-port=6443 --insecure-port=0 \
    --etcd-servers=unix://etcd:1 --etcd-compaction-interval=15s --cert-dir="$state/apiserver" \
    --client-ca-file="$state/pki/ca.crt" --tls-cert-file="$state/pki/apiserver.crt" --tls-private-key-file="$state/pki/apiserver.key" \
    --kubelet-certificate-authority="$state/pki/ca.crt" --kubelet-client-certificate="$state/pki/kubelet-client.crt" \
    --kubelet-client-key="$state/pki/kubelet-client.key" --kubelet-preferred-address-types=InternalIP \
    --service-account-key-file="$state/pki/service-accounts.pub" --service-account-signing-key-file="$state/pki/service-accounts.key" \
    --service-account-issuer=https://kubernetes.default.svc.cluster.local --api-audiences=https://kubernetes.default.svc.cluster.local \
    --authorization-mode=Node,RBAC --enable-admission-plugins=NodeRestriction --allow-privileged=true \
    --service-cluster-ip-range="$(service_range)" --feature-gates=EphemeralContainers=true
  await apiserver 60 'readiness' answers /readyz
}
