# The cluster's certificates and kubeconfigs. Sourced by `clusters`.

# certificate NAME SUBJECT USAGE [SUBJECT-ALTERNATIVE-NAMES]
certificate() {
  local names=()
  [ -z "${4:-}" ] || names=(-addext "subjectAltName=$4")
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 -subj "$2" \
    -CA "$state/pki/ca.crt" -CAkey "$state/pki/ca.key" -config "$state/pki/openssl.cnf" \
    -addext basicConstraints=CA:FALSE -addext "keyUsage=critical,digitalSignature" -addext "extendedKeyUsage=$3" "${names[@]}" \
    -keyout "$state/pki/$1.key" -out "$state/pki/$1.crt" 2>"$state/pki/error" || { cat "$state/pki/error" >&2; return 1; }
}

make_certificates() {
  local pki=$state/pki
  [ -f "$pki/complete" ] && return
  mkdir -p "$pki"
  printf '[req]\ndistinguished_name=name\n[name]\n' >"$pki/openssl.cnf"
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 -subj "/CN=kubernetes-$name" \
    -config "$pki/openssl.cnf" -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign \
    -keyout "$pki/ca.key" -out "$pki/ca.crt" 2>/dev/null
  certificate apiserver /CN=kube-apiserver serverAuth \
    "DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,DNS:kubernetes.default.svc.cluster.local,IP:$(first_service_address),IP:$(host_address)"
  certificate kubelet-client /O=system:masters/CN=kube-apiserver-kubelet-client clientAuth
  certificate admin /O=system:masters/CN=admin clientAuth
  certificate controller-manager /CN=system:kube-controller-manager clientAuth
  certificate scheduler /CN=system:kube-scheduler clientAuth
  certificate proxy /CN=system:kube-proxy clientAuth
  certificate node "/O=system:nodes/CN=system:node:$name-node" clientAuth,serverAuth "IP:$(node_address),DNS:$name-node"
  openssl ecparam -name prime256v1 -genkey -noout -out "$pki/service-accounts.key"
  openssl ec -in "$pki/service-accounts.key" -pubout -out "$pki/service-accounts.pub" 2>/dev/null
  local user
  for user in admin controller-manager scheduler proxy node; do
    write_kubeconfig "$user"
  done
  touch "$pki/complete"
}

write_kubeconfig() {
  cat >"$state/$1.kubeconfig" <<END
apiVersion: v1
kind: Config
clusters:
- name: $name
  cluster:
    server: https://$(host_address):6443
    certificate-authority-data: $(base64 -w0 "$state/pki/ca.crt")
users:
- name: $1
  user:
    client-certificate-data: $(base64 -w0 "$state/pki/$1.crt")
    client-key-data: $(base64 -w0 "$state/pki/$1.key")
contexts:
- name: $name
  context: {cluster: $name, user: $1}
current-context: $name
END
}
