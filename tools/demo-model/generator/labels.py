"""Texts to classify. The four default labels mean:

urgent: needs somebody to act now or today; task: something to do, without hurry; attention: good to know, a change or a
risk that affects the reader, nothing to do yet; ignorable: advertising, newsletters, small talk, automatic confirmations.
"""

from .lexicon import entries

URGENT = entries("""
{the} {place} is flooding, come now | there's water coming through the ceiling in {the} {place} right now | the {software} is down and customers can't pay | the server is down, please call me immediately | production is down since {time}
we need {the} {doc} in the next {small} minutes or we lose {company} | {the} {doc} is due in an hour and it's not signed | please call back right now, it's an emergency | {name} fell and is on the way to the hospital | {name} is in the emergency room, come quickly
{name} can't breathe properly, I called an ambulance | the {pet} ate {noun} and is shaking, the vet needs you now | I smell gas in {the} {place} | the fire alarm is going off in {the} {place} | the alarm went off and nobody is there | the car broke down on the highway with the kids inside
my flight leaves in {small} hours and the passport is missing | the bank blocked the card, we need it unblocked right away | someone is logged into your account from {city}, change the password now | {group} needs an answer within the hour | the {event} starts in ten minutes and {name} isn't here
need you at {the} {place} asap, {the} {thing} exploded | urgent: {vp} before {hour} today | urgent, {name} is locked out | this can't wait, please {vp} right now | drop everything and {vp} | {vp} immediately | we have to {vp} this minute, {reason}
the pipe burst and the {noun} is under water | the deadline is today at {hour} and nothing is submitted | they will cut off the power today unless we pay {money} | last chance today to {vp}, otherwise we pay a fine | the payment failed and the shop closes our account at {hour} | the customer is furious and wants a call right now
help, I'm stuck in the elevator | {name} is stuck at the airport without money, call now | the truck with {the} {thing} is blocked, call the driver immediately | data is being deleted as we speak, stop the import job | the {software} leaks passwords, shut it down now | {name} has a fever of {temp} and is getting worse
the school called, {name} is hurt, pick {pron2} up right away | the babysitter cancelled and we leave in half an hour | smoke is coming out of the {noun} | there was an accident at {the} {place}, people are hurt | the power is out and the freezer is thawing, we need someone today | the contract has to be signed in the next hour
""")
TASK = entries("""
please {vp} {due} | can you {vp} {due} | could you {vp} when you have time | I need to {vp} {due} | I have to {vp} {due} | remember to {vp} | don't forget to {vp} {due} | we should {vp} {due} | {name} needs to {vp} {due} | {vp} {due} | {vp} | remind me to {vp} {due}
{name} asked me to {vp} {due} | {name} will {vp} {due} | let me {vp} {due} | to do: {vp} | would you mind looking at {the} {doc} and then {vp} | when you get a chance, {vp} | no hurry, but please {vp} | I still have to {vp} | we need to {vp} and {vp} {due} | next step: {vp} | I promised to {vp} {due}
someone should {vp} {due} | I'd like you to {vp} {due} | your turn to {vp} | make sure to {vp} {due} | it would be great if you could {vp} {due} | todo {vp} | {group} wants us to {vp} {due} | add {food} and {food} to the shopping list | put {the} {event} in the calendar
""")
ATTENTION = entries("""
{the} {event} was moved to {weekday} at {hour} | {the} {event} is cancelled | heads up, {the} {event} now starts at {time} | just so you know, {name} is out until {weekday} | fyi the price of {the} {thing} goes up to {money} next month | {company} changed the delivery date to {date} | {name} is sick today
the {road} is closed next week, expect delays | the rent goes up by {money} in {month} | the new password rules start on {weekday} | {the} {doc} changed since last week | {the} {software} will be offline on {weekday} night | the budget is almost used up, {money} left | we're {number} days behind on {the} {topic}
{company} is thinking about leaving us | the customers complain more about {the} {topic} lately | {the} {thing} makes a strange noise since {past} | {the} {place} will be closed until {month} | the water will be turned off on {weekday} from {hour} to {hour} | your passport runs out in {month} | storm warning for {weekday} {daypart}
the kids have {weekday} off | the train schedule changes in {month} | cholesterol was up again, keep an eye on it | {name} is worried about {the} {topic} | {name} seems unhappy with {the} {topic} | the lawyers have questions about {the} {doc} | the audit found a problem with {the} {thing} | {name} takes over from {name} in {month}
there's a small crack in {the} {noun}, nothing dramatic | keep an eye on {the} {noun} | watch out, {the} {noun} is {adj} | note that {the} {event} takes place in {the} {place} now | {name} resigned and leaves in {month} | the contract with {company} ends in {month} | sales went down {number} percent in {month} | the supplier will deliver late
the flight to {city} is delayed by {number} minutes | the gate changed to {code} | the test results come back on {weekday} | {name} said no to {the} {topic} | {the} {thing} is running low | {fact}
""")
IGNORABLE = entries("""
save {number} percent on {noun} this weekend only | huge sale at {company}, everything must go | buy one {noun} and get one free | subscribe to our newsletter | this week's newsletter: {number} tips for {adj} {noun} | your weekly digest from {company} | {company} has a new collection of {noun} | you've won a free {noun}, click here
rate your experience with {company} | thanks for shopping at {company} | your order has been delivered, thank you | we updated our privacy policy | follow us for more {noun} | don't miss our {adj} deals | congratulations, you have been selected | the best {noun} of the year | new on our blog: why {noun} matter | get {money} off your next order
lol that was funny | haha yes | good morning everyone, nice weather today | happy {weekday} all | thanks | thank you so much | okay cool | sounds good | see you around | had a nice {noun} for lunch, just saying | look at this cute {pet} | what a game last night | nothing special today | just saying hi | testing, one two three
I had {food} for breakfast and it was {quality} | the weather in {city} is {adj} | saw a {adj} {animal} on the way here | this song is stuck in my head | I'm so bored | random thought, {noun} are {adj} | good night | how was your weekend | did you see the show last night | my horoscope says it's a {adj} week | {name} posted a picture of {noun}
{name} liked your photo | {name} and {number} others reacted to your post | people you may know: {name} {last} | your streak is {number} days | unlock the premium version of {fake} | invite your friends and earn {money} | coupon inside: {number} percent off {food} | black friday starts early at {company} | win a trip to {city} | this email was sent automatically
""")
DEFAULT = {"urgent": URGENT, "task": TASK, "attention": ATTENTION, "ignorable": IGNORABLE}
NEUTRAL = entries("hi {name} | hello | hey | hi | good morning | hi there | hi all | dear {name} | hey {name}, it's {name} | voicemail from {name} | message from {name} | this is {name} | subject: {noun}")
ENDINGS = entries("thanks | best, {name} | cheers | {name} | see you, {name} | regards {name} | bye | talk soon")

SENTIMENT = {
    "positive": entries("I love {the} {noun} | {the} {noun} is wonderful | {name} did a great job with {the} {topic} | best {food} I ever had | the {event} was fantastic | so happy with {the} {thing} | {company} was really helpful | everything worked perfectly | what a lovely {noun} | we had so much fun at {the} {event} | highly recommended"),
    "negative": entries("I hate {the} {noun} | {the} {noun} is awful | {name} messed up {the} {topic} | the worst {food} I ever had | the {event} was a disaster | really disappointed with {the} {thing} | {company} never answered | nothing worked | what a terrible {noun} | we wasted {number} hours at {the} {event} | I want my money back"),
    "neutral": entries("{the} {noun} is in {the} {place} | {the} {event} starts at {time} | {name} has {the} {thing} | it is {weekday} | {the} {noun} weighs {number} pounds | {the} {place} is on {street} | there are {number} {noun} in the box"),
}
SENTIMENT_NAMES = {"positive": ["positive", "happy", "good", "praise"], "negative": ["negative", "unhappy", "bad", "complaint"], "neutral": ["neutral", "other", "none", "mixed"]}
TENSES = {
    "question": entries("when does {the} {event} start | who has {the} {thing} | can you {vp} | is {the} {doc} {state} | where is {name} | how much is {the} {thing} | what did {name} say about {the} {topic} | should we {vp} | did {name} {vp} | why is {the} {noun} so {adj}"),
    "statement": entries("{fact} | {the} {event} starts at {time} | {name} has {the} {thing} | {the} {doc} is {state} | we talked about {the} {topic}"),
    "request": entries("please {vp} {due} | {vp}, please | would you {vp} | I'd like you to {vp} | kindly {vp} {due}"),
}
TENSE_NAMES = {"question": ["question", "ask"], "statement": ["statement", "fact", "information", "info"], "request": ["request", "order", "todo"]}
KIND_NAMES = {"work": ["meeting", "work", "office"], "sales": ["sales", "call", "customer"], "errand": ["errand", "shopping", "errands"], "house": ["visit", "house", "repairs", "site"],
              "health": ["health", "doctor", "medical"], "school": ["family", "school", "kids"], "travel": ["travel", "trip", "car"], "idea": ["idea", "ideas"]}
