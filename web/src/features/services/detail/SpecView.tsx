import { useTranslation } from 'react-i18next';
import type { Probe, ServiceSpec } from '@/api/types';
import { Code } from '@/components/Code';
import { Section } from '@/components/Section';
import styles from './detail.module.css';

type Pair = [string, React.ReactNode];

function Pairs({ pairs, mono = true }: { pairs: Pair[]; mono?: boolean }) {
  return (
    <dl className={styles.pairs}>
      {pairs.map(([name, value], index) => (
        <div key={index} style={{ display: 'contents' }}>
          <dt>{name}</dt>
          <dd className={mono ? 'mono' : undefined}>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function probeText(probe: Probe): string {
  const { check } = probe;
  switch (check.type) {
    case 'http':
      return `GET :${check.port}${check.path}`;
    case 'tcp':
      return `TCP :${check.port}`;
    case 'exec':
      return check.command.join(' ');
  }
}

/** A spec in sections, as the form has them; what is empty is left out. */
export function SpecView({ spec }: { spec: ServiceSpec }) {
  const { t } = useTranslation();
  const image: Pair[] = [[t('word.image'), spec.image]];
  if (spec.command?.length) image.push([t('service_form.command'), spec.command.join(' ')]);
  if (spec.args?.length) image.push([t('service_form.args'), spec.args.join(' ')]);
  if (spec.run_as_user) image.push([t('service_form.run_as_user'), spec.run_as_user]);
  const probes = (['startup', 'readiness', 'liveness'] as const).flatMap((name): Pair[] => {
    const probe = spec.probes?.[name];
    return probe
      ? [
          [
            t(`service_form.probe_${name}`),
            <>
              {probeText(probe)}
              <span className="faint">
                {' · '}
                {t('service_form.probe_every', {
                  seconds: probe.period_seconds,
                  failures: probe.failure_threshold,
                })}
              </span>
            </>,
          ],
        ]
      : [];
  });
  const resources = (['cpu_request', 'cpu_limit', 'memory_request', 'memory_limit'] as const).map(
    (name): Pair => [t(`service_form.${name}`), spec.resources?.[name] ?? '–'],
  );
  if (spec.resources?.gpus) resources.push([t('service_form.gpus'), spec.resources.gpus]);
  return (
    <div className={styles.spec}>
      <Section title={t('service_form.image')}>
        <Pairs pairs={image} />
      </Section>
      <Section title={t('service_form.resources')}>
        <Pairs pairs={resources} />
      </Section>
      <Section title={t('service_form.ports')}>
        {spec.ports?.length ? (
          <Pairs
            pairs={spec.ports.map(({ name, port, protocol }) => [name, `${port}/${protocol ?? 'TCP'}`])}
          />
        ) : (
          <p className="faint">{t('service_form.no_ports')}</p>
        )}
      </Section>
      <Section title={t('service_form.env')}>
        {spec.env?.length ? (
          <Pairs pairs={spec.env.map(({ name, value }) => [name, value || '""'])} />
        ) : (
          <p className="faint">{t('service_form.no_env')}</p>
        )}
      </Section>
      <Section title={t('service_form.secrets')}>
        {spec.secrets?.length ? (
          <Pairs
            pairs={spec.secrets.map(({ name, path, fingerprint }) => [
              name,
              <>
                {path ?? t('service_form.as_variable')}
                <span className="faint"> · {fingerprint}</span>
              </>,
            ])}
          />
        ) : (
          <p className="faint">{t('service_form.no_secrets')}</p>
        )}
      </Section>
      {spec.volumes && spec.volumes.length > 0 && (
        <Section title={t('service_form.volumes')}>
          <Pairs
            pairs={spec.volumes.map(({ name, mount_path, size, storage_class, access, may_start_empty }) => [
              name,
              <>
                {size} → {mount_path}
                <span className="faint">
                  {' · '}
                  {[
                    t(`volume.access_${access ?? 'one_node'}`),
                    storage_class,
                    may_start_empty && t('volume.may_start_empty'),
                  ]
                    .filter(Boolean)
                    .join(' · ')}
                </span>
              </>,
            ])}
          />
        </Section>
      )}
      <Section title={t('service_form.probes')}>
        {probes.length ? <Pairs pairs={probes} /> : <p className="faint">{t('service_form.no_probes')}</p>}
      </Section>
      <Section title={t('service_form.advanced')}>
        <Pairs
          pairs={[
            [t('service_form.max_surge'), spec.rollout?.max_surge],
            [t('service_form.max_unavailable'), spec.rollout?.max_unavailable],
            [t('service_form.progress_deadline_seconds'), spec.rollout?.progress_deadline_seconds],
            [t('service_form.min_ready_seconds'), spec.rollout?.min_ready_seconds],
            [t('service_form.grace_period_seconds'), spec.stop?.grace_period_seconds],
            ...(spec.stop?.pre_stop_command?.length
              ? [[t('service_form.pre_stop_command'), spec.stop.pre_stop_command.join(' ')] as Pair]
              : []),
            ...(spec.host_aliases ?? []).map(({ ip, hostnames }): Pair => [ip, hostnames.join(' ')]),
            ...Object.entries(spec.annotations ?? {}),
          ]}
        />
      </Section>
      {spec.config_files?.map(({ path, content }) => (
        <div key={path} className={styles.wide}>
          <Section title={<code>{path}</code>}>
            <Code label={path}>{content}</Code>
          </Section>
        </div>
      ))}
    </div>
  );
}
