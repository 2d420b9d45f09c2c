import { useTranslation } from 'react-i18next';
import type { PlacementPreview } from '@/api/types';
import { PlacementWhy } from '@/components/PlacementWhy';
import styles from './preview.module.css';

/** Cluster by cluster, how many replicas it would hold and why. */
export function PreviewRows({ preview }: { preview: PlacementPreview }) {
  const { t } = useTranslation();
  return (
    <div className={styles.rows}>
      {preview.unplaced > 0 && (
        <p className={styles.unplaced}>{t('preview.unplaced', { count: preview.unplaced })}</p>
      )}
      {preview.assignments.map(({ cluster, replicas, reason }) => (
        <div key={cluster}>
          <div className={styles.head}>
            <span>{cluster}</span>
            <span className="number">{replicas}</span>
          </div>
          <PlacementWhy reason={reason} />
        </div>
      ))}
      {preview.assignments.length === 0 && <p className="faint">{preview.message}</p>}
    </div>
  );
}
