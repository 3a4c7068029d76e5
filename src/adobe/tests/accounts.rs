//! What refused tokens mean. Without a server, so that time can be made to pass.

use std::time::Duration;

use tokio::time::advance;

use crate::adobe::account::Account;
use crate::adobe::auth::Token;
use crate::adobe::{Class, Error, Service};

fn token() -> Token {
    Token::new("t0k3n".into(), None)
}

fn refusal(service: Service) -> Error {
    Error::new(service, Class::TokenRefused, "Oauth token is not valid")
}

/// A service refuses one token after the other, each as soon as it may be sent, for so long.
async fn refuse(account: &Account, service: Service, time: Duration) -> (Error, u32) {
    let (mut passed, mut tokens) = (Duration::ZERO, 0);
    loop {
        let error = account.refused(token(), refusal(service));
        tokens += 1;
        let pause = error.retry_after().expect("a time");
        if passed + pause > time {
            return (error, tokens);
        }
        advance(pause).await;
        passed += pause;
    }
}

#[tokio::test(start_paused = true)]
async fn only_refusals_that_last_mean_that_the_credentials_are_rejected() {
    let account = Account::default();
    let (error, tokens) = refuse(&account, Service::FlowService, Duration::from_secs(10)).await;
    assert_eq!(*error.class(), Class::TokenRefused);
    assert!(tokens <= 8, "{tokens} tokens in ten seconds");
    let (error, tokens) = refuse(&account, Service::FlowService, Duration::from_secs(300)).await;
    assert_eq!(*error.class(), Class::CredentialsRejected);
    assert!(tokens <= 12, "{tokens} tokens in five minutes");
    // Even then it is not long before the next try.
    let again = error.retry_after().expect("a time");
    assert!(again <= Duration::from_secs(72), "{again:?}");
    advance(again).await;
    account.accepted(Service::FlowService);
    let error = account.refused(token(), refusal(Service::FlowService));
    assert_eq!(*error.class(), Class::TokenRefused);
    assert_eq!(error.retry_after(), Some(Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn a_few_refusals_far_apart_are_not_lasting() {
    let account = Account::default();
    for _ in 0..4 {
        let error = account.refused(token(), refusal(Service::Catalog));
        assert_eq!(*error.class(), Class::TokenRefused);
        advance(Duration::from_secs(600)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn one_token_that_many_calls_are_refused_with_counts_once() {
    let account = Account::default();
    let lost = token();
    for _ in 0..50 {
        let error = account.refused(lost.clone(), refusal(Service::Catalog));
        assert_eq!(error.retry_after(), Some(Duration::ZERO));
        advance(Duration::from_millis(10)).await;
    }
    let error = account.refused(token(), refusal(Service::Catalog));
    assert!(error.retry_after() < Some(Duration::from_secs(1)));
}

#[tokio::test(start_paused = true)]
async fn a_service_that_refuses_every_token_holds_up_no_other() {
    let account = Account::default();
    let (error, _) = refuse(&account, Service::DataPrep, Duration::from_secs(30)).await;
    assert!(error.retry_after() > Some(Duration::from_secs(10)));
    let other = account.refused(token(), refusal(Service::Catalog));
    assert_eq!(other.retry_after(), Some(Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn a_fixed_token_has_expired_at_once_and_is_tried_again_later_and_later() {
    let account = Account::default();
    let refused = |token| {
        let error = Error::new(Service::Catalog, Class::TokenExpired, "expired");
        account.refused(token, error)
    };
    let first = refused(token());
    assert_eq!(*first.class(), Class::TokenExpired);
    assert!(first.retry_after() > Some(Duration::ZERO));
    // In flight together with the first.
    assert!(refused(token()).retry_after() <= first.retry_after());
    advance(first.retry_after().expect("a time")).await;
    assert!(refused(token()).retry_after() > first.retry_after());
}
