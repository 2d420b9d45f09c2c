//! Random events; in the end everything is as it was last asked for.

use api_types::clusters::ClusterState;
use api_types::operations::OperationKind;
use api_types::services::ServiceState;
use proptest::prelude::*;

use super::*;

/// Something that happens between two turns.
#[derive(Clone, Debug)]
enum Event {
    Scale(i32),
    Release,
    Restart,
    Health(usize, bool),
    Cordon(usize, bool),
    Vanish(usize),
    Drift(usize),
    Time(i64),
    CutOff,
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        2 => (0i32..9).prop_map(Event::Scale),
        2 => Just(Event::Release),
        1 => Just(Event::Restart),
        2 => (0usize..3, any::<bool>()).prop_map(|(place, good)| Event::Health(place, good)),
        1 => (0usize..3, any::<bool>()).prop_map(|(place, on)| Event::Cordon(place, on)),
        1 => (0usize..3).prop_map(Event::Vanish),
        1 => (0usize..3).prop_map(Event::Drift),
        2 => (1i64..40).prop_map(Event::Time),
        2 => Just(Event::CutOff),
    ]
}

impl Play {
    fn happen(&mut self, event: &Event) {
        match event {
            Event::Scale(replicas) => self.subject.service.replicas = *replicas,
            Event::Release => self.subject.service.revision += 1,
            Event::Restart => self.subject.service.restarted_at = Some(self.now),
            Event::Health(place, good) => {
                self.fleet.clusters[*place].health = if *good {
                    ClusterState::Ready
                } else {
                    ClusterState::Unreachable
                };
            }
            Event::Cordon(place, on) => self.fleet.clusters[*place].cordoned = *on,
            Event::Vanish(place) => {
                let id = self.fleet.clusters[*place].id;
                self.subject.observations.retain(|row| row.cluster_id != id);
            }
            Event::Drift(place) => {
                let id = self.fleet.clusters[*place].id;
                for row in self
                    .subject
                    .observations
                    .iter_mut()
                    .filter(|row| row.cluster_id == id)
                {
                    row.observation.0.replicas += 1;
                }
            }
            Event::Time(seconds) => self.now += chrono::Duration::seconds(*seconds),
            // A turn that is killed after it wrote, before it acted.
            Event::CutOff => {
                let outcome = self.turn();
                self.write(&outcome);
                return;
            }
        }
        let outcome = self.turn();
        self.write(&outcome);
        self.act(&outcome);
        self.look();
        self.never_counts_the_silent();
    }

    fn never_counts_the_silent(&mut self) {
        let outcome = self.turn();
        self.write(&outcome);
        let silent: i64 = self
            .subject
            .assignments
            .iter()
            .filter(|assignment| !self.fleet.by_id(assignment.cluster_id).unwrap().answers())
            .filter(|assignment| assignment.applied_at.is_some())
            .map(|assignment| i64::from(assignment.wanted_now()))
            .sum();
        assert_eq!(i64::from(self.subject.service.unknown), silent);
        if silent > 0 {
            assert_ne!(self.state(), ServiceState::Running);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn whatever_happened_it_settles_as_it_was_last_asked_for(events in prop::collection::vec(event(), 0..25)) {
        let mut play = Play::new(OperationKind::CreateService, vec![cluster("a"), cluster("b"), cluster("c")]);
        for event in &events {
            play.happen(event);
        }
        for cluster in &mut play.fleet.clusters {
            cluster.health = ClusterState::Ready;
            cluster.cordoned = false;
        }
        play.now += chrono::Duration::seconds(60);
        play.look();
        play.now += chrono::Duration::seconds(1);
        play.settle();
        let wanted = play.subject.service.replicas;
        let expected = if wanted == 0 { ServiceState::Stopped } else { ServiceState::Running };
        prop_assert_eq!(play.state(), expected);
        let assigned: i32 = play.subject.assignments.iter().map(|assignment| assignment.replicas).sum();
        prop_assert_eq!(assigned, wanted);
        prop_assert_eq!(play.subject.observations.len(), play.subject.assignments.len());
        for row in &play.subject.observations {
            prop_assert_eq!(row.observation.0.revision, Some(play.subject.service.revision));
            let assignment = play.subject.assignments.iter().find(|one| one.cluster_id == row.cluster_id).unwrap();
            prop_assert_eq!((assignment.replicas, assignment.hold), (row.replicas, 0));
        }
        prop_assert_eq!(play.turn(), Outcome::default());
    }
}
