import { useTranslation } from 'react-i18next';
import type { Cluster } from '@/api/types';
import { Age } from '@/components/Age';
import { bytes, cores } from '@/components/quantity';
import { UseBar } from '@/components/UseBar';
import { useCores } from '@/components/useCores';
import styles from './clusters.module.css';

type Observed = NonNullable<Cluster['observed']>;

/** How full a cluster is: CPU, memory, pods, and GPUs where it has any. */
export function ClusterUse({ observed, wide = false }: { observed: Observed; wide?: boolean }) {
  const { t } = useTranslation();
  const withCores = useCores();
  const { allocatable, requested, used, stale } = observed;
  return (
    <div className={wide ? styles.useWide : styles.use}>
      <UseBar
        label="CPU"
        requested={requested.cpu_millicores ?? 0}
        used={used?.cpu_millicores}
        total={allocatable.cpu_millicores ?? 0}
        format={cores}
        withUnit={withCores}
        stale={stale}
      />
      <UseBar
        label={t('word.memory')}
        requested={requested.memory_bytes ?? 0}
        used={used?.memory_bytes}
        total={allocatable.memory_bytes ?? 0}
        format={bytes}
        stale={stale}
      />
      {allocatable.gpus ? (
        <UseBar
          label={t('word.gpus')}
          requested={requested.gpus ?? 0}
          total={allocatable.gpus}
          format={String}
          stale={stale}
        />
      ) : null}
      <UseBar
        label={t('word.pods')}
        requested={observed.pods}
        total={allocatable.pods ?? 0}
        format={String}
        stale={stale}
      />
      {stale && (
        <p className="faint">
          {t('stale.as_of')} <Age at={observed.observed_at} />
        </p>
      )}
    </div>
  );
}
