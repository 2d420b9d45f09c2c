import { useTranslation } from 'react-i18next';
import type { UsageItem } from '@/api/types';
import { useLanguage } from '@/app/LanguageProvider';
import { Age } from '@/components/Age';
import { StateIcon } from '@/components/StateIcon';
import { figure, money } from './figures';
import { Used } from './Used';
import styles from './usage.module.css';

/** The sums of a range, how far it is counted, and what of it is not known. */
export function UsageSum({ item, currency }: { item: UsageItem; currency: string | undefined }) {
  const { t } = useTranslation();
  const { tag } = useLanguage();
  const coreHours = (value: string) => t('usage.core_hours', { value });
  const gibHours = (value: string) => t('usage.gib_hours', { value });
  const facts: [label: string, value: React.ReactNode][] = [
    [t('usage.cpu_requested'), coreHours(figure(item.cpu_core_hours, tag))],
    [
      t('usage.cpu_used'),
      <Used key="cpu" value={item.cpu_used_core_hours} measured={item.measured} withUnit={coreHours} />,
    ],
    [t('usage.memory_requested'), gibHours(figure(item.memory_gib_hours, tag))],
    [
      t('usage.memory_used'),
      <Used key="memory" value={item.memory_used_gib_hours} measured={item.measured} withUnit={gibHours} />,
    ],
    [t('usage.pod_hours'), figure(item.pod_hours, tag)],
  ];
  if (item.gpu_hours > 0) {
    facts.push([t('usage.gpu_requested'), t('usage.gpu_hours', { value: figure(item.gpu_hours, tag) })]);
  }
  if (item.storage_gib_hours > 0) {
    facts.push([
      t('usage.storage_held'),
      t('usage.gib_hours', { value: figure(item.storage_gib_hours, tag) }),
    ]);
  }
  if (item.cost !== undefined && item.cost !== null && currency) {
    facts.push([t('usage.cost'), <strong key="cost">{money(item.cost, currency, tag)}</strong>]);
  }
  facts.push([t('usage.counted_until'), <Age key="age" at={item.counted_until} />]);
  return (
    <>
      {item.gap_hours > 0 && (
        <p className={styles.gaps} role="status">
          <StateIcon tone="unknown" />{' '}
          {t('usage.gaps', {
            hours: figure(item.gap_hours, tag),
            percent: figure((item.gap_hours / (item.gap_hours + item.counted_hours)) * 100, tag),
          })}
        </p>
      )}
      <dl className={styles.facts}>
        {facts.map(([label, value]) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd className="number">{value}</dd>
          </div>
        ))}
      </dl>
    </>
  );
}
