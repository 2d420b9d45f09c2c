import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { read } from '@/api/client';
import type { Overview } from '@/api/types';
import { Section } from '@/components/Section';
import { StateIcon } from '@/components/StateIcon';
import styles from './overview.module.css';

/** The way from an empty platform to a first service. */
export function FirstSteps({ overview }: { overview: Overview }) {
  const { t } = useTranslation();
  const projects = useQuery(read('/api/v1/projects', { params: { query: { limit: 1 } } }));
  const steps = [
    {
      to: '/clusters/new',
      done: overview.clusters.length > 0,
      title: t('first.cluster'),
      text: t('first.cluster_text'),
    },
    {
      to: '/projects?create',
      done: Boolean(projects.data?.items.length),
      title: t('first.project'),
      text: t('first.project_text'),
    },
    { to: '/services/new', done: false, title: t('first.service'), text: t('first.service_text') },
  ];
  return (
    <Section title={t('first.title')}>
      <ol className={styles.steps}>
        {steps.map(({ to, done, title, text }) => (
          <li key={to}>
            <StateIcon tone={done ? 'running' : 'unknown'} size={16} />
            <div>
              <Link to={to}>{title}</Link>
              <p className="muted">{text}</p>
            </div>
          </li>
        ))}
      </ol>
    </Section>
  );
}
