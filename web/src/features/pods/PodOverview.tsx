import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import type { Container, PodDetail, Termination } from '@/api/types';
import { Age } from '@/components/Age';
import { Observed } from '@/components/Observed';
import { clusterPath, servicePath } from '@/components/paths';
import { ProblemText } from '@/components/ProblemText';
import { Section } from '@/components/Section';
import { podTone, type Tone } from '@/components/status';
import { StateTag } from '@/components/StateTag';
import styles from './PodOverview.module.css';

export function PodOverview({ detail }: { detail: PodDetail }) {
  const { t } = useTranslation();
  const { pod, containers, conditions, problems } = detail;
  const { project, environment, service } = pod;
  const facts: [string, React.ReactNode][] = [
    [
      t('word.state'),
      <Observed key="state" at={pod.observed_at} stale={pod.stale}>
        <StateTag tone={podTone(pod)} label={pod.status} />
      </Observed>,
    ],
    [
      t('word.service'),
      project && environment && service ? (
        <Link
          to={servicePath({ project, environment, service })}
        >{`${project}/${environment}/${service}`}</Link>
      ) : (
        '–'
      ),
    ],
    [t('word.revision'), pod.revision ?? '–'],
    [
      t('word.cluster'),
      <Link key="cluster" to={clusterPath(pod.cluster)}>
        {pod.cluster}
      </Link>,
    ],
    [t('pod.node'), pod.node ?? t('pod.no_node')],
    ['IP', <code key="ip">{pod.ip ?? '–'}</code>],
    [t('word.restarts'), pod.restarts],
    [t('word.created'), <Age key="age" at={pod.created_at} />],
  ];
  return (
    <div className={styles.overview}>
      {problems.length > 0 && (
        <Section title={t('pod.problems')}>
          <div className={styles.problems}>
            {problems.map((problem) => (
              <ProblemText key={problem.reason} problem={problem} />
            ))}
          </div>
        </Section>
      )}
      <dl className={styles.facts}>
        {facts.map(([term, value]) => (
          <div key={term}>
            <dt>{term}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      {containers.map((container) => (
        <ContainerCard key={container.name} container={container} />
      ))}
      <Section title={t('pod.conditions')}>
        <ul className={styles.conditions}>
          {conditions.map(({ kind, status, reason, message }) => (
            <li key={kind}>
              <StateTag
                tone={status === 'True' ? 'running' : status === 'False' ? 'degraded' : 'unknown'}
                label={kind}
              />
              <span className="muted">
                {t(
                  status === 'True'
                    ? 'pod.condition_true'
                    : status === 'False'
                      ? 'pod.condition_false'
                      : 'pod.condition_unknown',
                )}
                {reason && ` · ${reason}`}
                {message && ` · ${message}`}
              </span>
            </li>
          ))}
        </ul>
      </Section>
    </div>
  );
}

function containerTone({ state, ready }: Container): Tone {
  if (state === 'running') return ready ? 'running' : 'degraded';
  return state === 'waiting' ? 'progressing' : 'failed';
}

function ContainerCard({ container }: { container: Container }) {
  const { t } = useTranslation();
  const known =
    container.state === 'running' || container.state === 'waiting' || container.state === 'terminated';
  const bad =
    container.reason && container.state === 'waiting' && /BackOff|Err|Invalid|Fail/.test(container.reason);
  return (
    <Section
      title={<span className="mono">{container.name}</span>}
      hint={<span className="mono">{container.image}</span>}
      extra={
        <StateTag
          tone={bad ? 'failed' : containerTone(container)}
          label={
            container.reason ?? (known ? t(`pod.container_${container.state as 'running'}`) : container.state)
          }
        />
      }
    >
      <dl className={styles.facts}>
        <div>
          <dt>{t('word.ready')}</dt>
          <dd>{t(container.ready ? 'word.yes' : 'word.no')}</dd>
        </div>
        <div>
          <dt>{t('word.restarts')}</dt>
          <dd>{container.restarts}</dd>
        </div>
        <div>
          <dt>{t('word.started')}</dt>
          <dd>
            <Age at={container.started_at} />
          </dd>
        </div>
        {container.exit_code !== null && container.exit_code !== undefined && (
          <div>
            <dt>{t('pod.exit_code')}</dt>
            <dd>{container.exit_code}</dd>
          </div>
        )}
      </dl>
      {container.message && <p className={styles.said}>{container.message}</p>}
      {container.last_termination && <LastTermination termination={container.last_termination} />}
    </Section>
  );
}

function LastTermination({ termination }: { termination: Termination }) {
  const { t } = useTranslation();
  return (
    <p className={styles.last}>
      <strong>{t('pod.last_termination')}</strong>{' '}
      {t('pod.ended_with', { reason: termination.reason, code: termination.exit_code })} ·{' '}
      <Age at={termination.finished_at} />
      {termination.message && <span className={styles.said}>{termination.message}</span>}
    </p>
  );
}
