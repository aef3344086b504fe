use super::testing::Ssm;
use super::*;

async fn start() -> (Arc<Ssm>, Secret) {
    let (ssm, client) = Ssm::start().await;
    (ssm, Secret::parameter("OPENAI_API_KEY", "/colloquy/it", Some(client)))
}

/// As if so much time had passed since the secret was read.
async fn after(secret: &Secret, time: Duration) {
    let Place::Parameter { last, .. } = &secret.place else { panic!("a parameter") };
    let mut last = last.lock().await;
    let read = last.as_mut().unwrap();
    read.at -= time;
    read.until -= time;
}

#[tokio::test]
async fn a_secret_is_read_once_in_five_minutes() {
    let (ssm, secret) = start().await;
    ssm.set(Some("old\n"));
    let (one, other) = tokio::join!(secret.reveal(), secret.reveal());
    assert_eq!((&**one.unwrap(), &**other.unwrap(), ssm.asked()), ("old", "old", 1));
    ssm.set(Some("new"));
    after(&secret, SECRET_TTL - Duration::from_secs(2)).await;
    assert_eq!((&**secret.reveal().await.unwrap(), ssm.asked()), ("old", 1));
    after(&secret, Duration::from_secs(2)).await;
    assert_eq!((&**secret.reveal().await.unwrap(), ssm.asked()), ("new", 2));
}

#[tokio::test]
async fn a_secret_that_was_refused_is_read_again_but_not_over_and_over() {
    let (ssm, secret) = start().await;
    ssm.set(Some("old"));
    secret.reveal().await.unwrap();
    ssm.set(Some("new"));
    assert!(secret.renewed("old").await.is_none(), "it was read only just");
    assert_eq!(ssm.asked(), 1);
    after(&secret, SECRET_REST).await;
    assert_eq!(&**secret.renewed("old").await.unwrap(), "new");
    assert_eq!(&**secret.renewed("old").await.unwrap(), "new", "for who was refused with the one before");
    assert!(secret.renewed("new").await.is_none());
    assert_eq!(ssm.asked(), 2);
    assert!(Secret::new("X", "known".to_owned()).renewed("known").await.is_none());
}

#[tokio::test]
async fn while_ssm_is_away_the_last_value_stays_and_nobody_waits_for_long() {
    let (ssm, secret) = start().await;
    assert!(secret.reveal().await.is_err(), "there was none");
    ssm.set(Some("old"));
    secret.reveal().await.unwrap();
    after(&secret, SECRET_TTL).await;
    ssm.set(None);
    assert_eq!(&**secret.reveal().await.unwrap(), "old");
    *ssm.delay.lock().unwrap() = Duration::from_secs(60);
    after(&secret, SECRET_REST).await;
    let started = Instant::now();
    assert_eq!(&**secret.reveal().await.unwrap(), "old");
    assert!(started.elapsed() < SECRET_LIMIT + Duration::from_secs(1), "{:?}", started.elapsed());
}
