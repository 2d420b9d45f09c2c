import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useReducer } from 'react';
import { Navigate, Outlet, useLocation } from 'react-router';
import { onSessionLost } from '@/api/client';
import { LiveProvider } from '@/api/LiveProvider';
import { ErrorPanel } from '@/components/ErrorPanel';
import { PageLoading } from '@/components/Loading';
import { LeaveContext } from './leaving';
import { MustChangePassword } from './MustChangePassword';
import { rememberSession, SessionContext, sessionQuery, useSessionQuery } from './session';
import { SigningOut } from './SigningOut';

/** Lets in who is signed in; sends all others to the sign-in page and back here afterwards. */
export function SessionGuard() {
  const queries = useQueryClient();
  const location = useLocation();
  const { data: session, error, refetch } = useSessionQuery();
  const [isLeaving, leave] = useReducer(() => true, false);

  useEffect(() => {
    onSessionLost(() => {
      rememberSession(null);
      queries.setQueryData(sessionQuery.queryKey, null);
    });
  }, [queries]);

  if (isLeaving) return <SigningOut />;
  if (session === undefined) {
    return error ? <ErrorPanel error={error} onRetry={() => void refetch()} /> : <PageLoading />;
  }
  if (session === null) {
    const here = location.pathname + location.search;
    return <Navigate to={here === '/' ? '/sign-in' : `/sign-in?next=${encodeURIComponent(here)}`} replace />;
  }
  return (
    <SessionContext value={session}>
      <LeaveContext value={leave}>
        {session.user.must_change_password ? (
          <MustChangePassword />
        ) : (
          <LiveProvider from={session.changes_cursor}>
            <Outlet />
          </LiveProvider>
        )}
      </LeaveContext>
    </SessionContext>
  );
}
