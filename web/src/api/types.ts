import type { components, Gap } from './schema';

// The wire types under the names the rest of the code uses; shapes come from the OpenAPI document only.
export type {
  ApiToken,
  ApiTokenCreated,
  Assignment,
  AuditDetail,
  AuditFormat,
  AuditRecord,
  AuditOutcome,
  Autoscaling,
  AutoscalingDecision,
  AutoscalingPolicy,
  AutoscalingPreview,
  Binding,
  Change,
  Cluster,
  ClusterAgentInstallation,
  ClusterState,
  ClusterStateChange,
  ConnectionCheck,
  Container,
  DecisionOutcome,
  Environment,
  ErrorBody,
  Evacuation,
  EvacuationPlan,
  Failback,
  FailbackMode,
  FailbackPolicy,
  Failover,
  Event as PodEvent,
  Gap,
  Grant,
  MetricSource,
  NewPrices,
  NewService,
  NewSimulatedLoad,
  Node as ClusterNode,
  Operation,
  OperationKind,
  OperationState,
  OperationStep,
  Overview,
  Placement,
  PlacementPreview,
  PlacementReason,
  PlacementStrategy,
  PlannedMove,
  PlannedReturn,
  Priority,
  Pod,
  PodDetail,
  PodPhase,
  Price,
  Prices,
  Probe,
  ProbeCheck,
  Problem,
  Project,
  ResourceAmounts,
  Resources,
  Revision,
  RevisionDiff,
  RevisionSummary,
  Role,
  ScalingStep,
  ScheduledBounds,
  Service,
  ServiceSpec,
  ServiceState,
  ServiceStatus,
  Session,
  SessionSummary,
  SignInLock,
  SpecChange,
  StateCounts,
  StepState,
  SyncState,
  Taint,
  Termination,
  Topic,
  UsageItem,
  User,
  Volume,
  VolumeClaim,
  Witness,
  WorkloadObservation,
} from './schema';

/** One page of a list. */
export interface Page<T> {
  items: T[];
  next_cursor?: string | null;
  total_estimate: number;
  gaps?: Gap[];
}

/** One field of a body that can't be taken, as it stands in an error's `details.fields`. */
export interface FieldError {
  field: string;
  message: string;
}

/** Where a service lives. */
export interface ServiceAddress {
  project: string;
  environment: string;
  service: string;
}

/** Where a pod lives. */
export interface PodAddress {
  project: string;
  environment: string;
  cluster: string;
  pod: string;
}

export type Schemas = components['schemas'];
