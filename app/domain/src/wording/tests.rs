use super::*;

fn found(text: &str, truth: Truth) -> Vec<String> {
    untrue_claims(text, &truth).into_iter().map(|claim| claim.words).collect()
}

#[test]
fn claims_are_found_in_four_languages() {
    // (text, the words found)
    let table: [(&str, &[&str]); 62] = [
        ("Join us live on Tuesday", &["Join us live"]),
        ("JOIN US **LIVE**!", &["JOIN US **LIVE"]),
        ("Calm mornings, LIVE", &["LIVE"]),
        ("Live: how to sleep", &["Live"]),
        ("A live webinar with Maya", &["live webinar"]),
        ("Our live Q&A", &["live Q"]),
        ("We are live at 8", &["live"]),
        ("We’re live in Berlin on Tuesday", &["live"]),
        ("See you live!", &["live"]),
        ("Live at 20:00", &["Live"]),
        ("Live on Zoom", &["Live"]),
        ("Live in 10 minutes", &["Live"]),
        ("Live with Maya", &["Live"]),
        ("Live from Paris", &["Live"]),
        ("Watch it live", &["Watch it live"]),
        ("Don’t miss it live", &["live"]),
        ("Follow the livestream", &["livestream"]),
        ("[live](https://example.org)", &["live"]),
        ("Rejoignez-nous en direct", &["en direct"]),
        ("EN DIRECT de Lyon", &["EN DIRECT"]),
        ("Un webinaire live", &["webinaire live"]),
        ("Sei live dabei", &["Sei live dabei"]),
        ("Jetzt live dabei sein", &["live dabei"]),
        ("Unser Live-Webinar", &["Live-Webinar"]),
        ("Live um 20 Uhr", &["Live"]),
        ("Die Liveübertragung", &["Liveübertragung"]),
        ("Приєднуйтесь наживо", &["наживо"]),
        ("НАЖИВО у вівторок", &["НАЖИВО"]),
        ("Зустрічаємось в прямому ефірі", &["в прямому ефірі"]),
        ("Прямий ефір о 20:00", &["Прямий ефір"]),
        ("It ends tonight", &["ends tonight"]),
        ("The offer expires in 24 hours", &["expires in 24 hours"]),
        ("Only today", &["Only today"]),
        ("TODAY ONLY: free access", &["TODAY ONLY"]),
        ("This is your last chance", &["your last chance"]),
        ("For a limited time", &["For a limited time"]),
        ("Only 3 hours left", &["Only 3 hours left"]),
        ("Only 3 seats left", &["Only 3 seats left"]),
        ("Just a few spots left!", &["Just a few spots left"]),
        ("10-15 places left", &["10-15 places left"]),
        ("Seats are limited", &["Seats are limited"]),
        ("Almost sold out", &["Almost sold out"]),
        ("Nur heute gratis", &["Nur heute"]),
        ("Das Angebot endet heute Abend", &["endet heute Abend"]),
        ("Letzte Chance", &["Letzte Chance"]),
        ("Nur für kurze Zeit", &["Nur für kurze Zeit"]),
        ("Nur noch 3 Plätze frei", &["Nur noch 3 Plätze frei"]),
        ("Die Plätze sind begrenzt", &["Plätze sind begrenzt"]),
        ("Fast ausgebucht", &["Fast ausgebucht"]),
        ("Plus que 3 places", &["Plus que 3 places"]),
        ("Il ne reste que trois places", &["ne reste que trois places"]),
        ("Dernières places", &["Dernières places"]),
        ("Derni\u{e8}re chance", &["Derni\u{e8}re chance"]),
        ("Dernie\u{300}re chance", &["Dernie\u{300}re chance"]),
        ("Se termine ce soir", &["Se termine ce soir"]),
        ("Aujourd’hui seulement", &["Aujourd’hui seulement"]),
        ("Залишилося лише 3 місця", &["Залишилося лише 3 місця"]),
        ("Останні місця", &["Останні місця"]),
        ("Останній шанс", &["Останній шанс"]),
        ("Останні\u{438}\u{306} шанс", &["Останні\u{438}\u{306} шанс"]),
        ("Лише сьогодні", &["Лише сьогодні"]),
        ("Закінчується сьогодні ввечері", &["Закінчується сьогодні ввечері"]),
    ];
    for (text, wanted) in table {
        assert_eq!(found(text, Truth::default()), wanted, "{text}");
    }
}

#[test]
fn nothing_is_found_where_nothing_is_claimed() {
    let table = [
        "We deliver",
        "I live in Berlin",
        "People who live in Berlin",
        "Live in Berlin",
        "A lively talk",
        "Stay alive",
        "For owners of livestock",
        "How to live with grief",
        "where you live",
        "The way we live",
        "Live your best life",
        "Live and learn",
        "Live, laugh, love",
        "Live well, sleep well",
        "Live better",
        "to live on bread",
        "Live on less",
        "Long live the tea",
        "You can live without it",
        "a live-in nanny",
        "Live plants",
        "They live at home",
        "Lives, lived, living, olive",
        "I’ve lived here",
        "Let us live a little",
        "the lives of others",
        "Make a living",
        "people live longer",
        "This is not live",
        "It is a recording, not a live event",
        "No live event",
        "Recorded live in May",
        "A live recording",
        "https://example.org/live",
        "Write to live@example.org",
        "live.example.org",
        "[the page](https://example.org/live)",
        "Dies ist nicht live",
        "Ein Live-Mitschnitt aus dem Mai",
        "Kein Live-Webinar",
        "Ce n’est pas en direct",
        "Un vol direct",
        "Directement chez vous",
        "Enregistré en direct en mai",
        "Це не наживо",
        "Записано наживо у травні",
        "Живий розум",
        "not only today",
        "It begins tonight",
        "only three things",
        "the only place on earth",
        "At last, a chance",
        "I have two chairs",
        "It ends well",
        "Nicht nur heute",
        "Heute geht es um Schlaf",
        "Der letzte Zug",
        "Plus que jamais",
        "plus de 300 places",
        "La dernière fois",
        "Лише три речі",
        "Сьогодні про сон",
        "Останній раз",
        "Only. Today we talk",
        "Take your seats",
        "",
        "   ",
        "\u{301}",
        "🙂 live\u{301}ly",
    ];
    for text in table {
        assert_eq!(found(text, Truth::default()), Vec::<String>::new(), "{text}");
    }
}

#[test]
fn what_the_settings_make_true_is_no_claim() {
    let text = "Join us live. Only 3 seats left, and it ends tonight.";
    let nothing = Truth::default();
    assert_eq!(found(text, nothing), ["Join us live", "Only 3 seats left", "ends tonight"]);
    assert_eq!(found(text, Truth { has_live_chat: true, ..nothing }), ["Only 3 seats left", "ends tonight"]);
    assert_eq!(found(text, Truth { has_seat_limit: true, ..nothing }), ["Join us live", "ends tonight"]);
    for ends in [Truth { has_replay_expiry: true, ..nothing }, Truth { has_deadline: true, ..nothing }] {
        assert_eq!(found(text, ends), ["Join us live", "Only 3 seats left"]);
    }
}

#[test]
fn a_claim_says_why_and_what_to_write_in_the_language_of_the_text() {
    let table = [
        ("Join us live", "You could write: “Watch at 20:00”."),
        ("Wir sind mit dem Webinar um acht Uhr live", "You could write: “Zu sehen um 20:00”."),
        ("Le mardi avec nous et Maya: live", "You could write: “À regarder à 20:00”."),
        ("Вебінар про сон: live", "You could write: “Дивіться о 20:00”."),
        ("Nur noch 3 Plätze", "You could write: “Es ist Platz für alle”."),
        ("Останній шанс", "You could write: “Дивіться, коли вам зручно”."),
    ];
    for (text, ending) in table {
        let claims = untrue_claims(text, &Truth::default());
        assert_eq!(claims.len(), 1, "{text}");
        assert_eq!(&text[claims[0].range.clone()], claims[0].words);
        assert!(claims[0].sentence.starts_with(&format!("“{}” is not so: ", claims[0].words)));
        assert!(claims[0].sentence.ends_with(ending), "{}", claims[0].sentence);
    }
}

mod properties {
    use proptest::prelude::*;

    use super::*;

    fn texts() -> impl Strategy<Value = String> {
        let words = prop::sample::select(vec![
            "live",
            "LIVE",
            "Join",
            "us",
            "in",
            "Berlin",
            "only",
            "3",
            "seats",
            "left",
            "Plätze",
            "noch",
            "nur",
            "plus",
            "que",
            "places",
            "наживо",
            "лише",
            "сьогодні",
            "e\u{301}",
            "{{session_day}}",
            "https://live.example",
            "🙂",
            "ß",
            "İ",
            "ﬁ",
        ]);
        let gaps = prop::sample::select(vec![" ", "-", "\n\n", ". ", ", ", "", "**", "’"]);
        prop_oneof![
            prop::collection::vec((words, gaps), 0..30)
                .prop_map(|parts| parts.into_iter().flat_map(|(word, gap)| [word, gap]).collect()),
            any::<String>(),
        ]
    }

    proptest! {
        #[test]
        fn claims_stand_in_the_text_in_order_and_apart(text in texts()) {
            let claims = untrue_claims(&text, &Truth::default());
            for claim in &claims {
                prop_assert_eq!(text.get(claim.range.clone()), Some(claim.words.as_str()));
                prop_assert!(!claim.words.is_empty());
            }
            prop_assert!(claims.windows(2).all(|pair| pair[0].range.end <= pair[1].range.start));
            let all = Truth { has_live_chat: true, has_seat_limit: true, has_replay_expiry: true, has_deadline: true };
            prop_assert!(untrue_claims(&text, &all).is_empty());
        }
    }
}
