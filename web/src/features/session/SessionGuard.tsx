import { useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import { Navigate, Outlet, useLocation } from 'react-router';
import { onSessionLost } from '@/api/client';
import { LiveProvider } from '@/api/LiveProvider';
import { ErrorPanel } from '@/components/ErrorPanel';
import { PageLoading } from '@/components/Loading';
import { MustChangePassword } from './MustChangePassword';
import { rememberSession, SessionContext, sessionQuery, useSessionQuery } from './session';

/** Lets in who is signed in; sends all others to the sign-in page and back here afterwards. */
export function SessionGuard() {
  const queries = useQueryClient();
  const location = useLocation();
  const { data: session, error, refetch } = useSessionQuery();

  useEffect(() => {
    onSessionLost(() => {
      rememberSession(null);
      queries.setQueryData(sessionQuery.queryKey, null);
    });
  }, [queries]);

  if (session === undefined) {
    return error ? <ErrorPanel error={error} onRetry={() => void refetch()} /> : <PageLoading />;
  }
  if (session === null) {
    const here = location.pathname + location.search;
    return <Navigate to={here === '/' ? '/sign-in' : `/sign-in?next=${encodeURIComponent(here)}`} replace />;
  }
  if (session.user.must_change_password) {
    return (
      <SessionContext value={session}>
        <MustChangePassword />
      </SessionContext>
    );
  }
  return (
    <SessionContext value={session}>
      <LiveProvider>
        <Outlet />
      </LiveProvider>
    </SessionContext>
  );
}
