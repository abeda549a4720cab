use uuid::Uuid;

use super::*;

#[test]
fn a_segment_reads_like_a_sentence_and_keeps_its_stored_form() {
    let joined = |joined, conditions| Segment { joined, conditions };
    let left = Condition::LeftBefore { seconds: 1_200 };
    let both = joined(Joined::All, vec![left.clone(), Condition::NotConverted]);
    assert_eq!(both.sentence(), "people who left before 20:00 and have not bought");
    assert_eq!(Segment::everybody().sentence(), "everybody who registered");
    let either = Condition::Status { one_of: vec![Attendance::LeftEarly, Attendance::Missed] };
    let offer = Condition::ClickedOffer { offer: Some(Uuid::nil()) };
    let any = joined(Joined::Any, vec![either, Condition::PercentAtLeast { percent: 80 }, offer]);
    let name = |_| Some("The course".to_owned());
    assert_eq!(
        any.sentence_naming(&name),
        "people who either left early or missed it, watched at least 80 % of it or clicked “The course”"
    );
    let stored = r#"{"joined":"all","conditions":[{"is":"left_before","seconds":1200},{"is":"not_converted"}]}"#;
    assert_eq!(serde_json::to_string(&both).expect("is written"), stored);
    for strange in [
        r#"{"joined":"none","conditions":[]}"#,
        r#"{"joined":"all","conditions":[{"is":"rich"}]}"#,
        r#"{"joined":"all","conditions":[{"is":"left_before","seconds":1,"minutes":2}]}"#,
    ] {
        assert!(serde_json::from_str::<Segment>(strange).is_err(), "{strange}");
    }
}

#[test]
fn a_condition_holds_for_whom_it_says() {
    let holds = |condition: Condition, behaviour: &Behaviour| condition.holds(behaviour);
    let nobody = Behaviour::default();
    let left = Behaviour {
        status: Attendance::LeftEarly,
        percent: 33.3,
        furthest_seconds: Some(1_199.5),
        joined_after_seconds: Some(90.0),
        clicked_offers: vec![Uuid::nil()],
        poll_answers: vec![PollAnswer { poll: Uuid::nil(), answer: Uuid::max() }],
        ..Behaviour::default()
    };
    let stayed = Behaviour { status: Attendance::AttendedToEnd, furthest_seconds: Some(3_590.0), ..left.clone() };
    assert!(holds(Condition::LeftBefore { seconds: 1_200 }, &left));
    assert!(!holds(Condition::LeftBefore { seconds: 1_199 }, &left));
    assert!(!holds(Condition::LeftBefore { seconds: 1_200 }, &nobody), "who never came did not leave");
    assert!(!holds(Condition::LeftBefore { seconds: 3_600 }, &stayed), "the last words are the end");
    assert!(
        holds(Condition::StayedPast { seconds: 1_200 }, &stayed)
            && !holds(Condition::StayedPast { seconds: 0 }, &nobody)
    );
    assert!(
        holds(Condition::JoinedAfter { seconds: 60 }, &left) && !holds(Condition::JoinedAfter { seconds: 90 }, &left)
    );
    assert!(
        holds(Condition::PercentAtMost { percent: 34 }, &left)
            && holds(Condition::PercentAtMost { percent: 0 }, &nobody)
    );
    assert!(!holds(Condition::PercentAtLeast { percent: 34 }, &left));
    assert!(
        holds(Condition::ClickedOffer { offer: None }, &left) && !holds(Condition::SawOffer { offer: None }, &left)
    );
    assert!(!holds(Condition::ClickedOffer { offer: Some(Uuid::max()) }, &left));
    let answered = |answer| Condition::AnsweredPoll { poll: Uuid::nil(), answer };
    assert!(holds(answered(None), &left) && holds(answered(Some(Uuid::max())), &left));
    assert!(!holds(answered(Some(Uuid::nil())), &left) && !holds(answered(None), &nobody));
}

#[test]
fn segments_that_say_nothing_are_refused() {
    let check = |conditions: Vec<Condition>| Segment { joined: Joined::All, conditions }.check(Some(1_800.0));
    let (left, stayed) = (Condition::LeftBefore { seconds: 600 }, Condition::StayedPast { seconds: 300 });
    assert!(check(vec![left.clone(), stayed]).is_ok());
    for refused in [
        vec![Condition::Status { one_of: Vec::new() }],
        vec![Condition::PercentAtLeast { percent: 101 }],
        vec![Condition::LeftBefore { seconds: 0 }],
        vec![Condition::StayedPast { seconds: 1_800 }],
        vec![Condition::JoinedAfter { seconds: MAX_SEGMENT_SECONDS + 1 }],
        vec![Condition::Converted, Condition::NotConverted],
        vec![left, Condition::StayedPast { seconds: 600 }],
        vec![Condition::AskedQuestion; MAX_CONDITIONS + 1],
    ] {
        assert_eq!(check(refused).err().and_then(|refusal| refusal.field).as_deref(), Some("segment"));
    }
    let any = Segment { joined: Joined::Any, conditions: vec![Condition::Converted, Condition::NotConverted] };
    assert!(any.check(None).is_ok());
}
