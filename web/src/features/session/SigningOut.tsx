import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import { useNavigate } from 'react-router';
import { client } from '@/api/client';
import { PageLoading } from '@/components/Loading';
import { rememberSession, sessionQuery } from './session';

/** Ends the session. It stands in place of every page, since what a page still asks for would be turned away then. */
export function SigningOut() {
  const navigate = useNavigate();
  const queries = useQueryClient();
  const { mutate } = useMutation({
    mutationFn: () => client.DELETE('/api/v1/session'),
    // Even if the server is away: this browser forgets who was here.
    onSettled: () => {
      rememberSession(null);
      queries.clear();
      queries.setQueryData(sessionQuery.queryKey, null);
      void navigate('/sign-in');
    },
  });
  useEffect(() => mutate(), [mutate]);
  return <PageLoading />;
}
