import { Input, InputNumber, Segmented } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Service } from '@/api/types';
import { BulkDialog } from '@/components/bulk/BulkDialog';
import type { BulkItem } from '@/components/bulk/useBulkRun';
import bulkStyles from '@/components/bulk/bulk.module.css';
import { usePermits } from '@/features/session/permissions';
import { pathOf } from '../actions/useServiceMutation';
import { isImage } from '../form/rules';
import { type BulkInput, type BulkKind, carryOut, NEEDS, type Plan, planFor } from './plans';
import { useReleasedBefore } from './useReleasedBefore';

interface Props {
  kind: BulkKind;
  /** As they were when the action was chosen. */
  services: Service[];
  onClose: (begun: boolean) => void;
}

/** One action on many services: what will happen to which, then how it went. */
export function BulkServices({ kind, services, onClose }: Props) {
  const { t } = useTranslation();
  const permit = usePermits();
  const before = useReleasedBefore(services, kind === 'roll_back');
  const [input, setInput] = useState<BulkInput>({
    scale: 'to',
    replicas: services[0]?.replicas ?? 1,
    release: 'tag',
    image: '',
    comment: '',
  });
  const change = (part: Partial<BulkInput>) => setInput({ ...input, ...part });

  const words = (plan: Plan): string => {
    if ('skip' in plan) return t(`bulk.skip.${plan.skip}`);
    switch (plan.will) {
      case 'restart':
        return t('bulk.will_restart', { count: plan.replicas });
      case 'scale':
        return t('bulk.will_scale', { from: plan.from, to: plan.to, count: plan.to });
      case 'release':
        return plan.to;
      case 'roll_back':
        return t('bulk.will_roll_back', { from: plan.from, to: plan.to });
      case 'delete':
        return t('bulk.will_delete', { count: plan.replicas });
    }
  };
  const items = services.map((service): BulkItem => {
    const plan = planFor(kind, service, input, before(service));
    const denied = permit(NEEDS[kind], pathOf(service)).reason;
    const isBad = 'will' in plan && plan.will === 'release' && !isImage(plan.to);
    return {
      key: service.id,
      name: (
        <>
          {service.name}{' '}
          <span className="faint">
            {service.project}/{service.environment}
          </span>
        </>
      ),
      will: kind === 'release' ? <code>{words(plan)}</code> : words(plan),
      skip: denied ?? ('skip' in plan ? words(plan) : isBad ? t('form.image') : undefined),
      run: () => carryOut(service, plan, input.comment),
    };
  });
  const touched = items.filter(({ skip }) => skip === undefined).length;

  return (
    <BulkDialog
      title={t(`bulk.title_${kind}`, { count: services.length })}
      okText={t(`bulk.ok_${kind}`, { count: touched })}
      danger={kind === 'delete'}
      phrase={kind === 'delete' ? t('bulk.delete_phrase', { count: touched }) : undefined}
      items={items}
      onClose={onClose}
    >
      {kind === 'scale' && (
        <div className={bulkStyles.inputs}>
          <Segmented<BulkInput['scale']>
            aria-label={t('service.scale')}
            style={{ justifySelf: 'start' }}
            value={input.scale}
            onChange={(scale) =>
              change({ scale, replicas: scale === 'to' ? (services[0]?.replicas ?? 1) : 1 })
            }
            options={[
              { value: 'to', label: t('bulk.scale_to') },
              { value: 'by', label: t('bulk.scale_by') },
            ]}
          />
          <InputNumber
            aria-label={t('word.replicas')}
            min={input.scale === 'to' ? 0 : -100_000}
            max={100_000}
            precision={0}
            value={input.replicas}
            onChange={(replicas) => change({ replicas: replicas ?? 0 })}
          />
        </div>
      )}
      {kind === 'release' && (
        <div className={bulkStyles.inputs}>
          <Segmented<BulkInput['release']>
            aria-label={t('word.image')}
            style={{ justifySelf: 'start' }}
            value={input.release}
            onChange={(release) => change({ release })}
            options={[
              { value: 'tag', label: t('bulk.release_tag') },
              { value: 'image', label: t('bulk.release_image') },
            ]}
          />
          <Input
            aria-label={t(input.release === 'tag' ? 'bulk.tag' : 'word.image')}
            placeholder={input.release === 'tag' ? t('bulk.tag_hint') : services[0]?.image}
            className="mono"
            autoComplete="off"
            spellCheck={false}
            value={input.image}
            onChange={({ target }) => change({ image: target.value })}
          />
        </div>
      )}
      {(kind === 'release' || kind === 'roll_back') && (
        <Input
          aria-label={t('word.comment')}
          placeholder={t('service.comment_hint')}
          maxLength={500}
          value={input.comment}
          onChange={({ target }) => change({ comment: target.value })}
        />
      )}
    </BulkDialog>
  );
}
