package demo

// Names of people and places. The people are nobody: first names and surnames of the country
// put together by chance.

var surnames = []string{
	"Le Goff", "Le Gall", "Le Roux", "Le Bihan", "Le Floc'h", "Le Bouëdec", "Le Guennec", "Le Dréan", "Le Bail", "Le Nœud",
	"Guégan", "Jégo", "Tanguy", "Cadoret", "Kerloc'h", "Quéméner", "Rio", "Évanno", "Stéphant", "Gouzerh", "Corlay", "Daniélou",
	"Madec", "Nicolas", "Perron", "Robic", "Rolland", "Thomas", "Yhuel", "Allanic", "Bégoc", "Bourhis", "Calloc'h", "Conan",
	"Cosquer", "Derrien", "Even", "Falc'her", "Gourvennec", "Guillemot", "Hervé", "Jaffré", "Kerdelhué", "Kervégan", "Lamour",
	"Lucas", "Mahé", "Morvan", "Nédélec", "Ollivier", "Padellec", "Penhouët", "Postic", "Riou", "Salaün", "Sévellec", "Trébuil",
}

var firstNames = []string{
	"Anaïg", "Annick", "Armelle", "Aziliz", "Bleuenn", "Briac", "Corentin", "Élouan", "Enora", "Erwan", "Fañch", "Gaël", "Gwenaëlle",
	"Gwenola", "Hervé", "Jeanne", "Joëlle", "Katell", "Kevin", "Laëtitia", "Loïc", "Maël", "Maëlys", "Malo", "Marie-Annick", "Mathilde",
	"Morgane", "Muriel", "Nolwenn", "Nicolas", "Ronan", "Rozenn", "Samir", "Solenn", "Soizic", "Tanguy", "Thi-Mai", "Thomas", "Tifenn",
	"Titouan", "Yann", "Yasmine", "Youenn", "Yves",
}

// streets are found in nearly every commune here; a few only in the towns.
var streets = []string{
	"rue de la Mairie", "rue de l'Église", "place de l'Église", "rue du Port", "quai des Indes", "rue de L'Orient", "rue Maréchal-Foch",
	"rue du Sacré-Cœur", "rue des Frères-Le-Nœud", "place des Halles", "rue Général-de-Gaulle", "avenue de la Marne", "rue des Fontaines",
	"rue de la Fontaine-aux-Œillets", "rue Anatole-Le-Braz", "rue Brizeux", "rue de Bretagne", "rue du Docteur-Laënnec", "rue de la Poste",
	"cours de la Bôve", "rue du Manoir", "rue Saint-Efflam", "rue de Kerguélen", "impasse du Vœu", "rue des Dentellières", "rue de la Compagnie",
	"rue Hoche", "rue Émile-Zola", "rue Jean-Jaurès", "place du Marché", "venelle du Puits", "rue du Lavoir", "rue de la Gare", "allée des Ajoncs",
	"rue Sainte-Anne", "route du Faouët", "rue Paul-Guieysse", "rue de l'Enclos-du-Port", "chemin de halage", "rue François-Mitterrand",
}

// places are quarters and corners after which shops call themselves.
var places = []string{
	"la Place", "l'Église", "Kerentrech", "Merville", "la Rade", "Keroman", "Nouvelle-Ville", "Lanveur", "Kervénanec", "la Fontaine",
	"Toulhars", "Saint-Christophe", "la Grande Plage", "Kerdurand", "Ty-Nehué", "Pont-Neuf", "la Vieille-Ville", "Bodélio", "Kerfichant",
	"Saint-Mathurin", "la Ria", "l'Œillet", "Lomener", "Kernours", "Sainte-Barbe",
}

// notes are what customers write beside an order.
var notes = []string{
	"Sans noisettes, merci.", "Je passerai vers 18 h.", "C'est pour offrir, si possible emballé.", "Sonnez au 2e, « Le Goff ».",
	"Laisser chez le voisin si je suis absent.", "Bien cuite, s'il vous plaît !", "Allergie aux crustacés.", "Je viens à vélo 🚲",
	"Appelez avant de livrer.", "Merci beaucoup, œuvrez bien.", "Une bougie, c'est un anniversaire.", "Plutôt mûres.",
}
