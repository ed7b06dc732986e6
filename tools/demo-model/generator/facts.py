"""Statements that are worth noting and are nobody's task. `[t:...]` marks the words that could serve as a title."""

from .lexicon import entries

FACTS: dict[str, list[str]] = {domain: entries(text) for domain, text in {
    "work": """
{name} wrapped up [t:{the} {software}] {past} | {name} worked on [t:{the} {doc}] all week | [t:{the} {software}] is {state} | [t:{the} {software}] is still {state}
nobody has looked at [t:the bug in {the} {software}] | [t:the bug in {the} {software}] came back | [t:{the} {software}] {problem} | [t:{the} {software}] {problem} and nobody knows why
we shifted [t:{the} {event}] from {weekday} to {weekday} | [t:{the} {event}] moved to {weekday} | [t:{the} {event}] is on {weekday} at {hour} | [t:{the} {event}] starts at {time}
[t:{the} {event}] got cancelled | [t:{the} {event}] went {quality} | [t:{the} {event}] took {number} minutes | [t:{the} {doc}] is {state} | [t:{the} {doc}] looks {quality}
[t:{the} {doc}] has {number} pages now | {who} liked [t:{the} {doc}] | {who} didn't like [t:{the} {doc}] | {who} still has questions about [t:{the} {topic}]
{who} approved [t:{the} {topic}] | {who} wants [t:{the} {topic}] to be {comp} | {who} thinks [t:{the} {doc}] is {quality} | {who} wants [t:{the} {doc}] in {unit}
we decided to go with {like} for [t:{the} {topic}] | we decided against [t:{the} {topic}] | we agreed on {like} | we agreed to keep [t:{the} {topic}] small | we're {number} days behind on [t:{the} {topic}]
we're ahead of schedule with [t:{the} {topic}] | we have {number} open tickets | [t:{the} budget] is {money} | half of [t:the budget] is gone
[t:{the} {topic}] costs {money} | [t:{the} {topic}] is {state} | [t:{the} {topic}] is going well | [t:{the} {topic}] is the biggest risk right now | there's a problem with [t:{the} {topic}]
{name} is out until {weekday} | {name} is on vacation next week | {name} is off sick | {name} joined the team on {weekday} | {name} will be away on {weekday} | {name} is the new contact at {company}
{number} people signed up for [t:{the} {event}] | {number} users tried [t:{the} {software}] | only {small} people came to [t:{the} {event}] | the numbers for [t:{the} {topic}] went up {number} percent
sales are down {number} percent because of [t:{the} {topic}] | the customers want [t:{the} {topic}] first | {company} goes live on {weekday} | [t:the deadline for {the} {doc}] is the {ordinal} | the deadline is {weekday}
[t:the new {noun}] arrives on {weekday} | {name} found the cause of [t:the {adj} {noun}] | {name} already sent {the} {doc} to {who} | [t:the {adj} {noun}] was a success | we lost {number} hours on [t:the {noun}]
""",
    "sales": """
they're fine with {like}, only [t:{the} {doc}] bothers them | they were excited about {like} | [t:{company}] likes {like} | [t:{company}] wants {number} {thing} | [t:{company}] wants a discount
they only sign in the first half of the year | their budget is {money} | their fiscal year ends in {month} | their contract ends in {month} | {who} signed off on [t:the contract]
{name} is hoping for an answer by {weekday} | {who} read it and {name} wants changes | {name} from {company} called about [t:{the} {doc}] | {name} is the one who decides
[t:{company}] is happy with the samples | [t:{company}] paid {past} | [t:{company}] hasn't paid yet | [t:the invoice for {company}] is {state} | [t:the order from {company}] is {state}
[t:the order] is worth {money} | they pay {money} per month | they asked for {number} percent off | they have {number} stores in {city} | they use {company} right now
they're comparing us with {company} | they're worried about [t:{the} {topic}] | they complained about [t:{the} {topic}] | they want to start in {month} | they can start in {number} weeks
[t:{company}] moved to {city} | the price is {quality} for them | {name} was really interested in [t:{the} {topic}] | the pilot runs until {month} | the call with them went {quality}
[t:the renewal] is {state} | the {noun} they got was {adj} | {name} said no to [t:the bundle] | {company} bought a {adj} {noun} from us last year | the warehouse has {number} {thing} left
""",
    "errand": """
[t:{the} {place}] closes at {hour} | [t:{the} {place}] on {street} is closed on {weekday} | [t:{the} {place}] opens at {time} | [t:{the} {thing}] is {state} | [t:{the} {thing}] {problem}
[t:{the} {thing}] cost {money} | [t:the {noun}] costs {money} | [t:{the} {thing}] should arrive {dueday} | [t:the package] is at {the} {place} | we're out of {food}
we ran out of {food} {past} | {food} is on sale for {money} | {name} likes {the} {color} one | {name} already bought {food} | {name} already picked up {the} {thing} | {name} already called {the} {place}
{name} has the {adj} {noun} | {name} took {the} {thing} {past} | the line at [t:{the} {place}] was really long | I got {the} {thing} {past} | I paid {money} for [t:{the} {thing}]
I found [t:{the} {thing}] in {the} {place} | I left [t:{the} {thing}] at {nameS} place | I couldn't find [t:{the} {thing}] anywhere | I already paid the {noun} bill | there's {money} left on the card
[t:{the} key] is under the {noun} | the code for the {place} is {code} | the car is parked on {street} | parking is {money} an hour | the bus leaves at {time}
[t:the {color} {noun}] is for {name} | {name} needs it on {weekday} | {nameS} birthday is on {weekday} | [t:the {adj} {noun}] from last week is {state} | {group} came by {past}
""",
    "house": """
[t:{the} {place}] is painted and the floor is next | [t:{the} {place}] is {state} | [t:{the} {place}] looks {quality} | there's {houseproblem} in [t:{the} {place}] | there's {houseproblem} in [t:{the} {place}], worse than before
[t:{the} {thing}] is {state} | [t:{the} {thing}] {problem} | [t:{the} {thing}] in {the} {place} is {state} | [t:the inspection] was postponed because of {the} {thing} | [t:the inspection] went {quality}
[t:the {noun}] was {adj} | [t:the {noun}] came in the wrong color | {the} tiles are {color} | the roofers found {houseproblem} | {group} said [t:{the} {thing}] can't be saved | {group} wants {money} for [t:{the} {place}]
{group} was here {past} | {group} finished [t:{the} {place}] {past} | {group} didn't show up | [t:{the} {houseproblemN}] is back | the water was off for {number} hours | [t:the work on {the} {place}] takes {number} weeks
[t:the second floor] is {state} | [t:building {small}] is {state} | the {noun} in room {number} is {adj} | so far it came to {money} | we spent {money} on [t:{the} {place}] so far | [t:the permit] is {state}
the crew lost a day because of the rain | {number} of {number} windows are in | {the} wall is {number} centimeters off | the tenants moved out {past} | the tenants complained about [t:{the} {thing}]
[t:the {plant}] is growing well | [t:the {plant}] didn't survive the frost | there are {animal} tracks near {the} {place} | [t:the garden] needs rain | the smell in [t:{the} {place}] is gone
""",
    "health": """
my [t:blood pressure] was {bp} | my blood sugar is {number} | [t:my {bodypart}] is {state} | [t:my {bodypart}] still hurts | [t:my {bodypart}] hurts when I {walk}
the [t:{symptom}] is {state} | the [t:{symptom}] started {past} | {name} has a {symptom} | {name} has a fever of {temp} | the results look {quality} | [t:the {event}] went {quality} | the doctor said [t:my {bodypart}] is healing well
the doctor thinks it's just a {symptom} | it's not broken, just a {symptom} | the x-ray looks {quality} | my weight is down {small} pounds | I lost {small} pounds since {month} | I slept {small} hours last night
the clinic faxes over [t:{the} {doc}] {dueday} | [t:the prescription] is {state} | {medicine} made me sleepy | {medicine} helps with the {symptom} | she says [t:the {bodypart}] needs rest | she said no sports for {number} weeks
the next [t:{event}] is on the {ordinal} | the appointment was moved to {weekday} at {hour} | the clinic moved to {street} | the waiting room was full | {name} is allergic to {food} | {nameS} {bodypart} is {state}
[t:the {pet}] has a {symptom} | [t:the {pet}] weighs {number} pounds | [t:the {pet}] ate {food} | the vet says [t:the {pet}] is {quality} | the insurance covers {number} percent | physical therapy costs {money} a session
""",
    "school": """
the bus goes at {time} from {the} {place} | everybody meets at {the} {place} at {time} | {number} families replied, {small} said no | {number} kids are signed up for [t:{the} {event}] | we're {small} chaperones short
[t:{the} {event}] is on the {ordinal} of {month} | [t:{the} {event}] starts at {time} | [t:{the} {event}] costs {money} per child | [t:{the} {event}] was moved to {weekday} | [t:{the} {event}] is cancelled because of the weather
{name} got a good grade in {subject} | {name} is doing better in {subject} | {name} forgot the {noun} again | {name} lost {the} {thing} | {name} has a {symptom} and stays home | {nameS} teacher is {quality}
{nameS} class has a test on {weekday} | {nameS} party is on {weekday} at {hour} | two years ago we lost {the} {thing} | the kids loved [t:{the} {event}] | school is closed on {weekday} | the bus was late again
{name} wants a {adj} {noun} for {pron2} birthday | {name} can't come on {weekday} | {name} is coming to visit in {month} | {family} is doing {quality} | dinner is at {nameS} place | {number} people are coming to [t:{the} {event}]
[t:the {pet}] chewed up {the} {thing} | the {pet} likes {food} | [t:the team] won {small} to {small} | practice is on {weekday} now | [t:the {adj} {noun}] for the play is {state} | the new coach is {quality}
""",
    "travel": """
[t:the flight to {city}] leaves at {time} | [t:the flight] is at {time} on {weekday} | [t:the flight to {city}] is {state} | [t:the hotel in {city}] is {state} | [t:the hotel] is {quality} | [t:the hotel in {city}] costs {money} a night
the train takes {number} hours | the train to [t:{city}] was {number} minutes late | [t:the tickets to {city}] cost {money} | we land in [t:{city}] at {time} | check in is at {time} | checkout is at {hour}
we stay in [t:{city}] for {number} nights | {name} meets us at the {place} | {name} already booked [t:the hotel] | the booking number is {code} | the gate is {code} | the museum is closed on {weekday}
it's going to rain in [t:{city}] | it's {number} degrees there | breakfast is included | the room has a {adj} view | we're {small} people in the car | the drive is about {number} miles | my passport runs out in {month}
[t:the {carpart}] is {state} | [t:the {carpart}] {problem} | the garage wants {money} for [t:the {carpart}] | the car passed the inspection | the van has {number} thousand miles on it | gas was {money} | the toll is {money}
[t:the {noun}] in {city} was {adj} | we saw {animal} near the {noun} | {name} gets sick on boats | the suitcase weighs {number} kilos | the border was {adj}
""",
    "idea": """
what if {idea} | what if {idea}, and {idea} | what if {idea} so {goal} | so what if {idea} | the idea is that {idea} | {goal} | {goal} and {goal} | I think {goal} | that way {goal}
first up would be [t:the {noun}] | I'd begin with [t:the {adj} {noun}] | I'd call it [t:the {adj} {noun}] | {name} had a similar idea about [t:{the} {topic}] | {company} does something like this
it would cost about {money} | it would take maybe {number} weeks | it only works if {idea} | the hard part is [t:{the} {noun}] | the best part is that {goal} | there's nothing like it in {city} | {name} loved it
[t:the {noun}] could be {adj} | [t:the {noun}] would be made of {noun} | [t:a {adj} {noun}] is what people remember | people always ask for [t:{the} {noun}] | kids and {noun} go well together | the market for [t:{noun}] is {quality}
""",
    "plain": """
it took longer than I thought | it took about {number} minutes | everybody seemed happy with it | everyone liked it | nobody liked it | we talked for about an hour | she asked about [t:{the} {topic}] again | he wasn't sure about the price | they were really nice | he was late again
it rained the whole time | it's the same as last year | the second one is much better | the first one was better | nobody answered the phone | nobody was there | there were only {small} of us | there were about {number} people | it was {quality} | it's {quality} | it's {state} | that one is {state}
I don't know if it's worth it | I'm not sure it works | I'm really tired | I feel much better | I didn't sleep well | I was there {past} | I was wrong about it | I forgot it at home | I lost it {past} | I found it {past} | I have {small} of them | I only have {money} left
she said it's {state} | he said it's {quality} | he says it {problem} | she said they're {state} | they said it costs {money} | they told me it takes {number} days | she told me about [t:{the} {event}] | he explained how {the} {thing} works | {name} was there too | {name} asked why
we have enough {noun} | we have too many {noun} | we don't have enough {noun} | we have until {weekday} | we're almost there | we're out of time | we're fine for now | we didn't get to [t:{the} {topic}] | we spent most of the time on [t:{the} {topic}] | we lost the first game
{name} is happy with it | {name} wasn't happy about it | {name} is in {city} this week | {name} moved to {city} | {name} got married | {name} had a baby | {name} had surgery {past} | {name} passed the exam | {name} lost {pron2} job | {name} started a new job | {name} turned {number} {past}
{name} called {past} | {name} sent it {past} | {name} doesn't know yet | {name} isn't coming | {name} prefers {weekday} | {name} and {name} are away | {name} looked great | {name} broke {the} {thing} | {name} fixed {the} {thing} | {name} speaks French | {name} is in charge now
the rest is {state} | everything else is {state} | everything is {quality} | the whole thing costs {money} | the price went up to {money} | that would be {money} in total | the weather was {quality} | the traffic was terrible | parking was hard to find | the food was {quality} | the view was {adj}
there's still some {food} left | there's nothing left | there was a long discussion about [t:{the} {topic}] | there was {noun} everywhere | there are {small} options | there's one thing I don't understand | the first option is {quality} and the second is {quality} | option {small} is the cheapest
last time it was {quality} | this time it was {quality} | last year it cost {money} | it used to be {quality} | it started {past} | it opens at {time} | it closes at {hour} | it's on {street} | it's on the {ordinal} floor | it's next to {the} {place} | it comes in {color} | it only works with {noun}
my favorite was [t:the {noun}] | the best part was [t:the {noun}] | the worst part was [t:the {noun}] | the main problem is [t:{the} {noun}] | the good news is that {name} {pastv} the {noun} | the bad news is [t:{the} {thing}] is {state} | the funny thing is nobody noticed | the reason is [t:{the} {noun}]
""",
    "random": """
[t:the {noun}] is {adj} | [t:the {adj} {noun}] is {adj} | [t:the {noun}] was {adj} and the {noun} was {adj} | [t:the {noun}] {pastv} the {noun} | {name} {pastv} [t:the {noun}] | {name} {pastv} the {adj} {noun} {past} | [t:{fakeN}] is {state}
[t:{the} {fake}] is {state} | [t:{the} {fake}] costs {money} | there are {number} {noun} in [t:{the} {noun}] | there's a {noun} in [t:the {adj} {noun}] | [t:the {noun}] looks {quality} | [t:the {noun}] from {name} is {adv} {adj} | {nameS} {noun} is {adj}
{name} says the {noun} is {adj} | {name} thinks the {noun} is too {adj} | the {adj} {noun} needs a {noun} | nobody likes [t:the {adj} {noun}] | [t:the {noun}] has a {adj} {noun} | [t:the {noun}] {problem} | {fakeN} {pastv} the {noun} | we have {number} {adj} {noun}
""",
}.items()}

NON_ACTIONS = entries("""
{name} already {done} | {name} {done} {past} | I already {done} | I {done} {past} | we {done} {past} | {group} already {done} | {name} has already {done2} | we don't need to {vp} anymore
there's no need to {vp} | I decided not to {vp} | {name} decided not to {vp} | {name} usually {does} on {weekday}s | {name} always {does} | I usually {vp} on {weekday}s | I couldn't {vp} {past} | {name} couldn't {vp} {past}
{name} forgot to {vp} last time | last time we forgot to {vp} | maybe we could {vp} someday | it would be nice to {vp} someday | {name} was {doing} when I called | thanks to {name} for {doing} | {doing} took {number} hours
{name} used to {vp} | {name} tried to {vp} but it didn't work | it's not worth it to {vp} | {name} enjoyed {doing} | {name} said {pron} {done} {past} | so {name} {done} {past} and that's {state}
""")

OPENINGS = entries("""
okay, [t:short note after the {event}] | [t:thoughts after the {event}] | quick note about [t:{the} {topic}] | quick update on [t:{the} {topic}] | [t:notes from the {event}] | notes from [t:the {event} with {who}]
[t:call with {company}] | [t:call with {who}] | just had a [t:call with {who}] | just got off the phone with [t:{who}] | just talked to [t:{who}] about [t:{the} {topic}] | just got out of [t:the {event}] | just got back from [t:{the} {place}]
just left [t:{the} {place}] | I'm at [t:{the} {place}] right now | so this one's about [t:{the} {topic}] | this is about [t:{the} {event}] | this is about [t:{nameS} {noun}] | so about [t:{the} {topic}]
about [t:{the} {event} on {weekday}] | [t:walkthrough of building {small}] | [t:site visit at {the} {place}] | [t:site visit], {date} | [t:visit to {company}] | [t:{event} with {name}] | [t:{event} with {name}] today | [t:{weekday} {event}]
[t:idea for {the} {topic}] | [t:idea for {the} {event}] | I had [t:an idea for {the} {topic}] | so I was thinking about [t:{the} {topic}] | thought about [t:{the} {topic}] in the shower | [t:an idea about {noun}] | [t:note to me for {dueday}]
[t:reminders] | [t:reminder for {dueday}] | note to self about [t:{the} {topic}] | [t:to do list for {dueday}] | [t:to do list for {the} {event}] | [t:errands for {dueday}] | [t:shopping and errands] | [t:things to do before {the} {event}]
things to remember for [t:{the} {event}] | what's left for [t:{the} {event}] | [t:plan for {dueday}] | [t:plan for {the} {event}] | hey it's me, about [t:{the} {topic}] | hi, this is {name}, I'm calling about [t:{the} {topic}] | hi {name}, it's about [t:{the} {event}]
okay so [t:{the} {event}] today | okay, [t:{the} {topic}] | all right, [t:{the} {topic}] | so, [t:{the} {topic}] first | voice memo on [t:{the} {topic}] | [t:memo for {name}] | [t:minutes of the {event}] | summary of [t:the {event}] with {name} | recap of [t:the {event}]
we talked about [t:{the} {topic}] today | we met with [t:{who}] about {the} {topic} | met [t:{who}] at {the} {place} | spoke to [t:{who}] this morning | [t:lunch with {name}] was nice | [t:trip to {city}] | planning [t:the trip to {city}] | [t:our trip to {city}] is coming up
took [t:the {pet}] to the vet | [t:{nameS} birthday] is coming up | [t:{nameS} visit] to the doctor | [t:the {bodypart} thing] again | [t:morning round at {the} {place}] | [t:{place} check] | [t:day {small} at {the} {place}] | [t:the {adj} {noun}] | so, [t:the {noun} situation]
""")

CLOSINGS = entries("""
that's it | that's all | that's all for now | okay, that's it | I think that's everything | so yeah, that's it | talk to you later | okay bye | more later | end of note | thanks | thank you, bye | that was it I think | right, that's everything | and that's about it
okay, enough for now | see you | call me if there's anything | that's all I remember | done
""")
SMALL_TALK = entries("""
let me think | what else | where was I | hang on | one second | okay next | anyway | it's pretty loud in here | sorry, I'm walking | hope you can hear me | so what else is there | right | okay | um, what was the other thing | wait
""")
