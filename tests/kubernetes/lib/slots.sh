# A slot is a cluster's number on this machine; its networks, bridge and control groups follow from it, so that
# any number of test runs live side by side. Sourced by `clusters`.
#
# The bridge is the claim: the kernel makes a link of one name only once. It carries the claimant's folder.

bridge_of() { echo "longshore$1"; }
host_address() { echo "10.200.$slot.1"; }
node_address() { echo "10.200.$slot.2"; }
pod_range() { echo "10.201.$slot.0/24"; }
# Room for thousands of services.
service_prefix() { echo "10.$((208 + $1 / 16)).$(($1 % 16 * 16))"; }
service_range() { echo "$(service_prefix "$slot").0/20"; }
first_service_address() { echo "$(service_prefix "$slot").1"; }

bridge_owner() { ip -details link show "$(bridge_of "$1")" 2>/dev/null | sed -n 's/^ *alias //p'; }

# A slot is of no use where its addresses are somebody else's already (a VPN, say).
addresses_free() {
  local address
  for address in 10.200.$1.1 10.201.$1.1 "$(service_prefix "$1").1"; do
    [ -z "$(ip -4 route show to match $address | grep -v '^default')" ] || return 1
  done
}

claim_slot() {
  local number
  for number in $(seq 1 250); do
    addresses_free "$number" && ip link add "$(bridge_of "$number")" type bridge 2>/dev/null || continue
    slot=$number
    ip link set "$(bridge_of "$slot")" alias "$state" up
    ip address add "$(host_address)/24" dev "$(bridge_of "$slot")"
    echo "$slot" >"$state/slot"
    return
  done
  echo "no free slot: the ranges 10.200-201.N.0/24 and 10.208.0.0/12 are all taken" >&2
  return 1
}

# Whether the slot that the folder names is still its own: a restart of the machine frees them all.
holds_slot() {
  slot=$(cat "$state/slot" 2>/dev/null) && [ "$(bridge_owner "$slot")" = "$state" ]
}
